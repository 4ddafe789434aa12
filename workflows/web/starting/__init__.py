"""Starting a report: the templates, their forms, the plan."""
