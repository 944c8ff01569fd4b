"""Read documents that customers send: invoices as PDF with a text layer."""
