"""Lists the invented names are drawn from; nobody is meant by any combination."""

GIVEN_NAMES_DUTCH = (
    "Daan", "Sem", "Lucas", "Levi", "Finn", "Bram", "Thijs", "Ruben", "Jasper", "Wouter",
    "Emma", "Julia", "Mila", "Tess", "Zoë", "Fleur", "Lotte", "Noor", "Roos", "Femke",
    "Sanne", "Maaike", "Pieter", "Hendrik", "Marijke", "Joost", "Koen", "Anouk", "Iris", "Floor",
)  # fmt: skip
FAMILY_NAMES_DUTCH = (
    "de Jong", "Jansen", "de Vries", "van den Berg", "Bakker", "Visser", "Smit", "Meijer",
    "de Boer", "Mulder", "de Groot", "Bos", "Vos", "Peters", "Hendriks", "van Leeuwen",
    "Dekker", "Brouwer", "de Wit", "Dijkstra", "Smits", "de Graaf", "van der Meer", "Kok",
    "Jacobs", "Vermeulen", "van der Linden", "Schouten", "Willems", "Hoekstra",
)  # fmt: skip
GIVEN_NAMES_BELGIAN = (
    "Arthur", "Noah", "Jules", "Louis", "Lowie", "Victor", "Mathis", "Elise", "Camille", "Amber",
    "Marie", "Charlotte", "Olivia", "Nora", "Wannes", "Joke",
)  # fmt: skip
FAMILY_NAMES_BELGIAN = (
    "Peeters", "Janssens", "Maes", "Jacobs", "Mertens", "Willems", "Claes", "Goossens",
    "Wouters", "De Smet", "Dubois", "Lambert", "Dupont", "Martin", "Vandenberghe", "Lemmens",
)  # fmt: skip
GIVEN_NAMES_INTERNATIONAL = (
    "Amara", "Mehmet", "Fatma", "Yusuf", "Leila", "Omer", "Priya", "Arjun", "Wei", "Mei",
    "Kofi", "Ama", "Mateusz", "Agnieszka", "Ion", "Elena", "Youssef", "Samira", "Carlos", "Lucía",
)  # fmt: skip
FAMILY_NAMES_INTERNATIONAL = (
    "Aslan", "Demir", "El Amrani", "Bouzid", "Sharma", "Patel", "Chen", "Wang", "Mensah",
    "Boateng", "Kowalski", "Nowak", "Popescu", "Ionescu", "García", "Fernández", "Kaya", "Diallo",
    "Santos", "Okafor",
)  # fmt: skip
STREETS_DUTCH = (
    "Lindenlaan", "Kastanjestraat", "Molenweg", "Kerkstraat", "Havenkade", "Beukenhof",
    "Stationsplein", "Wilgenpad", "Dorpsstraat", "Zonnedauw",
)  # fmt: skip
PLACES_DUTCH = (
    ("Utrecht", "35"), ("Amersfoort", "38"), ("Haarlem", "20"), ("Leiden", "23"), ("Delft", "26"),
    ("Zwolle", "80"), ("Arnhem", "68"), ("Breda", "48"), ("Groningen", "97"), ("Nijmegen", "65"),
)  # fmt: skip
STREETS_BELGIAN = ("Eikenstraat", "Schoolstraat", "Nieuwstraat", "Veldstraat", "Bergstraat")
PLACES_BELGIAN = (
    ("Gent", "9000"), ("Antwerpen", "2000"), ("Leuven", "3000"), ("Brugge", "8000"),
    ("Mechelen", "2800"),
)  # fmt: skip
