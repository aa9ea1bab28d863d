"""A small flows file and an embedding that needs no model, for tests of the flows and the menus."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np
from ccaas_flows.understanding.embedding import Vectors

HEAD = """
business: Testing
greeting: Hello.
limits: {reasks: 1, say: I give up., transfer: agents}
intents:
  book:
    label: book a room
    examples: [I want a room, book a room for me, can I have a room, reserve a room please, a room for the night]
  taxi:
    label: call a taxi
    examples: [I need a taxi, call me a cab, get me a taxi to the station, can you order a cab]
slots:
  date: {type: date, question: Which day?, reask: Sorry?}
  time: {type: time, question: What time?}
  code: {type: code, length: [6, 6], question: What is the code?}
  guests: {type: number, before: [guests, people], question: How many guests?}
  view: {type: choice, values: {sea: [sea, ocean], garden: [garden]}, question: Which view?}
  phone: {type: phone, question: What number?}
  who: {type: name, question: Who is it?}
  wants: {type: yes_no, question: Breakfast?}
  note: {type: free, question: Anything to note?}
flows:
  taxi: {steps: [{done: A taxi comes.}]}
"""


class WordsOnly:
    """Sentences as sums of their words' hashes: like sentences are near, and no model file is needed."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.full((len(texts), 64), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, zlib.crc32(word.encode()) % 64] += 1
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / norms, np.float32)
