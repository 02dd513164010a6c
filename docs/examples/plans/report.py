"""A function with a plan: `@step` lines name its helpers, and what each of them must do.

Run `zeroerr run docs/examples/plans`: steps that do not need each other vote side by side, each is judged by its own
`@example` lines, and the whole is verified as it will be offered.
"""


# @spec Return the words of text that occur more than once, in the order in which they first occur.
# @step words_of(text: str) -> list[str]: the words of text in lower case, split at white space
# @step repeated(words: list[str]) -> list[str]: the words that occur more than once, each once, in order
# @example words_of("A b  a") == ["a", "b", "a"]
# @example words_of("") == []
# @example repeated(["a", "b", "a"]) == ["a"]
# @example repeated(["b", "a", "a", "b"]) == ["b", "a"]
# @example doubles("The cat and the dog and a bird") == ["the", "and"]
# @example doubles("") == []
# @ensures len(result) == len(set(result))
def doubles(text: str) -> list[str]: ...
