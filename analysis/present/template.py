"""A page of HTML that needs nothing but itself, from a template of reports/ and what it shows."""

from pathlib import Path
from typing import Any

import jinja2

from analysis.errors import ReportError
from analysis.present import format as fmt


def render(template: str, templates: Path, **context: Any) -> str:
    """The template filled in; everything is escaped but the style sheet and what a template marks safe.

    Raises
    ------
    ReportError
        If the template is wrong, or names something that it is not given.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"date": fmt.date_name, "whole": fmt.whole}
    try:
        return environment.get_template(template).render(css=_css(templates), **context)
    except jinja2.TemplateError as error:
        raise ReportError(f"reports/{template}: {error} ({type(error).__name__}).") from error


def _css(templates: Path) -> str:
    return (templates / "report.css").read_text(encoding="utf-8")
