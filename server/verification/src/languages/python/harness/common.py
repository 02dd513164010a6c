"""What most files use of the standard library: mypy has read it before it is asked (`checker.py`)."""
import abc
import bisect
import collections
import collections.abc
import contextlib
import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import heapq
import io
import itertools
import json
import math
import operator
import os
import pathlib
import random
import re
import statistics
import string
import sys
import time
import typing


def used(xs: list[int], names: dict[str, float], text: str) -> list[tuple[int, str]]:
    """mypy reads a class when something of it is used."""
    found = set(sorted(xs, key=lambda x: -x))
    total = sum(x * math.pi for x in xs if x in found and x % 2) + max(names.values(), default=0.0)
    for place, word in enumerate(text.strip().split()):
        names[word] = names.get(word, 0) + min(len(word), place) + total
    return [(int(value), name) for value, name in zip(names.values(), names)] or [(abs(x), str(x)) for x in range(3)]
