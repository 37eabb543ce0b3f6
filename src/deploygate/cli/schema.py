"""`deploygate schema`: the inventory's JSON Schema, for editors and for other programs."""

import click

from deploygate.adapters.schemas import schema_text


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of the service inventory (2020-12)."""
    click.echo(schema_text(), nl=False)
