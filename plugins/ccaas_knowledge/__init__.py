"""Answers from the business's own pages: a folder of Markdown, HTML and PDF, found by meaning, told with its source."""
