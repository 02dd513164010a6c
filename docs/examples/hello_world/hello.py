"""Specs that the embedded model (135 million parameters) can really solve.

Run `zeroerr run docs/examples/hello_world` to see votes, layers and the verified edits.
"""


# @spec Return the sum of the numbers in xs; 0 for an empty list.
# @example total([1, 2, 3]) == 6
# @example total([]) == 0
# @property total(xs) == total(list(reversed(xs)))
# @budget 50ms total(list(range(10_000)))
def total(xs: list[int]) -> int: ...


# @spec Return the even numbers of xs, in the same order.
# @example evens([1, 2, 3, 4]) == [2, 4]
# @example evens([]) == []
# @ensures all(x % 2 == 0 for x in result)
# @property len(evens(xs)) <= len(xs)
def evens(xs: list[int]) -> list[int]: ...


# @spec Return the text reversed.
# @example backwards("hello") == "olleh"
# @example backwards("") == ""
# @ensures len(result) == len(text)
# @property backwards(backwards(text)) == text
def backwards(text: str) -> str: ...


# @spec Return a list with the square of each number in xs.
# @example squares([1, 2, 3]) == [1, 4, 9]
# @example squares([0, -2]) == [0, 4]
# @example squares([]) == []
# @ensures len(result) == len(xs)
# @budget 50ms squares(list(range(10_000)))
def squares(xs: list[int]) -> list[int]: ...
