"""A tool for the command line: prints the longest words of its input.

`python longest.py 3 < FILE` prints three. The parts that decide have specs; `zeroerr verify docs/examples/cli_tool` checks them.
"""

import sys


# @spec Return the words of text in lower case, in order; a word is a run of letters.
# @example words("To be, or not to be") == ["to", "be", "or", "not", "to", "be"]
# @example words("") == []
# @example words("don't") == ["don", "t"]
# @ensures all(word.isalpha() for word in result)
# @property words(text) == words(text + " ")
def words(text: str) -> list[str]:
    separated = "".join(char if char.isalpha() else " " for char in text.lower())
    return separated.split()


# @spec Return the count longest different words, longest first; words of one length in the order of the alphabet.
# @requires count >= 0
# @example longest(["to", "not", "be", "to"], 2) == ["not", "be"]
# @example longest(["a"], 5) == ["a"]
# @example longest([], 1) == []
# @ensures len(result) <= count and len(set(result)) == len(result)
# @property longest(found, 2) == longest(list(reversed(found)), 2)
# @complexity O(n log n)
def longest(found: list[str], count: int) -> list[str]:
    return sorted(set(found), key=lambda word: (-len(word), word))[:count]


def main() -> int:
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        print("usage: longest.py COUNT < FILE", file=sys.stderr)
        return 2
    print("\n".join(longest(words(sys.stdin.read()), int(sys.argv[1]))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
