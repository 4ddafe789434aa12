"""The stage that several files of tests load."""

CLEANED = """
class Cleaned(Stage):
    date = luigi.DateParameter()
    factor = luigi.FloatParameter(default=2.0)

    def requires(self):
        return {"events": Events(date=self.date)}

    def compute(self, events):
        called()
        return events.assign(value=events.value * self.factor)
"""
