"""Which language a message is in: counted from words, so that the answer can be explained."""

from intelligence.capabilities.language.detection import detect, is_english_word, is_near_english

__all__ = ["detect", "is_english_word", "is_near_english"]
