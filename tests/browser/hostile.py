"""A project whose every name, value, text, picture and message is an attack on whoever shows it."""

from __future__ import annotations

import subprocess
from typing import Any

MARK = "data-pwned"
"""An attribute that no page of ours has: where an element carries it, somebody's text became markup."""


def markup(where: str) -> str:
    """Text that does harm wherever it is taken for HTML, and is found there afterwards."""
    return f"\"'></title></textarea><b {MARK}={where}>x</b><img src=x {MARK}={where} onerror=\"alert('{where}')\"><script>alert('{where}')</script>"


FILES = (
    f"<img src=x {MARK}=file onerror=alert(1)>.ipynb",
    f'" onmouseover="alert(1)" {MARK}="file.ipynb',
    "javascript:alert(1).ipynb",
    "..%2f..%2fsecret.ipynb",
    "{{ 7*7 }}.ipynb",
    "a\nb.ipynb",
)
"""Names of files in the folder of templates."""

REACHING = """
const tried = {}, told = (name, result) => { tried[name] = result; document.body.dataset.tried = JSON.stringify(tried); };
const attempt = (name, act) => { try { told(name, String(act())); } catch (error) { told(name, 'refused'); } };
attempt('page', () => parent.document.title);
attempt('top', () => { top.document.title = 'pwned'; return 'reached'; });
attempt('cookie', () => document.cookie);
attempt('storage', () => localStorage.length);
attempt('away', () => { top.location.href = '/pwned'; return 'reached'; });
for (const address of ['/requests/', '/scheduler/api/task_list?data={}', 'SCHEDULER/api/task_list?data={}', 'http://127.0.0.1:9/']) {
  fetch(address, {mode: 'no-cors', credentials: 'include'}).then(() => told(address, 'reached'), () => told(address, 'refused'));
}
const form = document.createElement('form');
form.method = 'post'; form.action = '/reports/delete'; form.target = '_top';
document.body.append(form);
attempt('form', () => { form.submit(); return 'sent'; });
"""
"""What a report's script tries; what became of each lies in the `data-tried` of its body."""


def lay(place: Any, scheduler: str) -> None:
    """Put the attacks into a project like `small`."""
    templates = place.folder / "templates"
    source = (templates / "small.ipynb").read_bytes()
    for name in FILES:
        (templates / name).write_bytes(source)
    (templates / "broken.ipynb").write_text(markup("broken"))
    script = REACHING.replace("SCHEDULER", scheduler).replace("</", "<\\/")
    place.template(
        "hostile",
        "import datetime\nfrom typing import Literal\n"
        "date: datetime.date = datetime.date(2020, 1, 1)  # the day\n"
        f"text: str = {markup('default')!r}  # {markup('description')}\n"
        f"choice: Literal['a', {markup('choice')!r}] = 'a'\n"
        "number: float = 1.0",
        f"from IPython.display import HTML, SVG, Markdown\nprint({markup('printed')!r}, text)",
        f"HTML({'<script>' + script + '</script>'!r})",
        f"SVG({SVG!r})",
        f"Markdown({'# ' + markup('markdown') + ' [x](javascript:alert(1))'!r})",
        f"from workflows import measure\nmeasure('<b {MARK}=measure>', number, unit='<i>', better='lower')",
    )
    place.template(
        "raising",
        "import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)",
        f"raise ValueError({markup('traceback')!r})",
    )
    git = ["git", "-c", f"user.name={markup('author')[:60]}", "-c", "user.email=a@b"]
    for words in (["git", "init", "--quiet"], ["git", "add", "luigi.cfg", "acme.py", "templates/small.ipynb"]):
        subprocess.run(words, cwd=place.folder, check=True, capture_output=True)
    subprocess.run(
        [*git, "commit", "--quiet", "-m", markup("commit")], cwd=place.folder, check=True, capture_output=True
    )


SVG = f"""<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="alert('svg')">
<script>alert('svg script')</script><a href="javascript:alert(1)"><text {MARK}="svg">x</text></a>
<foreignObject><img src="x" onerror="alert('foreign')"/></foreignObject></svg>"""
