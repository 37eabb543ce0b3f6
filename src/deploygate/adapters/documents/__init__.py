"""From a file or folder of YAML to one document that knows where everything in it stands."""

from deploygate.adapters.documents.files import Read, read_document, read_foreign

__all__ = ["Read", "read_document", "read_foreign"]
