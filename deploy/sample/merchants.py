"""Invented shops, employers and landlords, and what people spend there in a month."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Habit:
    """How often a month somebody pays there, and how much: in minor units, from and to."""

    category: str
    merchants: tuple[str, ...]
    times_min: int
    times_max: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Bill:
    """Something paid once a month on a fixed day, by those who have it."""

    category: str
    merchants: tuple[str, ...]
    day: int
    least: int
    most: int
    share_percent: int
    words: str


HABITS = (
    Habit(
        "groceries",
        ("Markthal Vers", "De Groene Mand", "Buurtsuper Kees", "Kruidenier Oost", "Bakkerij Vlam"),
        5, 8, 850, 9_500,
    ),
    Habit("transport", ("Stadsvervoer", "Fietsenmaker Wiel", "Tankstation Polder"),
          2, 5, 280, 6_800),
    Habit("eating_out", ("Café De Hoek", "Pizzeria Sole", "Noodle Bar Lin", "Eethuis Zeezicht"),
          1, 4, 450, 5_600),
    Habit("shopping", ("Warenhuis Noord", "Boekhandel Bladzij", "Schoenmagazijn", "Bol & Draad"),
          0, 3, 1_200, 11_000),
    Habit("leisure", ("Bioscoop Luxor", "Zwembad De Golf", "Museum aan de Kade"), 0, 2, 600, 4_500),
    Habit("health", ("Apotheek Centrum", "Tandarts Kies"), 0, 1, 700, 7_500),
)  # fmt: skip
BILLS = (
    Bill("utilities", ("Energie Direct Noord", "Stroom van Hier"), 3, 8_500, 21_000, 100, "Energy"),
    Bill("utilities", ("Telecom Lage Landen",), 5, 1_500, 4_000, 100, "Mobile"),
    Bill("utilities", ("Glasvezel Thuis",), 6, 3_900, 5_900, 90, "Internet"),
    Bill("insurance", ("Zorgverzekering Samen", "Polis & Zorg"), 7, 13_500, 17_500, 100, "Premium"),
    Bill("subscriptions", ("Kijkraam Streaming",), 9, 899, 1_499, 80, "Streaming"),
    Bill("subscriptions", ("Muziekstroom",), 12, 1_099, 1_099, 60, "Music"),
    Bill("leisure", ("Sportschool Fit & Co",), 14, 2_400, 3_900, 50, "Membership"),
)
EMPLOYERS = (
    "Gemeente Waterstad", "Ziekenhuis De Linde", "Van Houten Logistiek B.V.", "Softwarehuis Tij",
    "Basisschool De Regenboog", "Bouwbedrijf Stevens B.V.", "Studio Kleur B.V.",
    "Universiteit Rijndelta", "Hotel Het Anker", "Tuinderij Zonneveld",
)  # fmt: skip
LANDLORDS = (
    "Woonstichting Thuisgenoot", "Vastgoed Rivierenland B.V.", "Woningbeheer Zuid",
    "Stichting Goed Wonen",
)  # fmt: skip
