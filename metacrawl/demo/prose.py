# ruff: noqa: RUF001 - other scripts are what the second half of this file is about
"""A small grammar that writes reviews and summaries, and a few sentences in other languages."""

import re
from random import Random

GRAMMAR: dict[str, tuple[str, ...]] = {
    "sentence": (
        "The {part} {verdict}, and {clause}.",
        "{opener} {clause}.",
        "I {watched} this {occasion} and {reaction}.",
        "{part_cap} {verdict}.",
        "If you {habit}, {advice}.",
        "There is {amount} {quality} in {place}, yet {clause}.",
        "{name} {acting} as {role}, {aside}.",
        "Somewhere around {moment} {clause}, which {effect}.",
        "{question}",
        "My {companion} {opinion}; I {disagree}.",
        "What stays with me is {image}.",
        "Not {amount} {quality}, but {image} {effect}.",
        "{clause_cap} - {aside}.",
        "{score_talk}.",
    ),
    "part": ("score", "camera work", "second half", "script", "editing", "opening scene", "sound design", "ending",
             "dialogue", "pacing", "middle hour", "cast"),
    "part_cap": ("The score", "The whole third act", "Every long silence", "The colour palette", "Its sense of humour",
                 "The voice-over", "The final shot", "The supporting cast"),
    "verdict": ("never quite finds its feet", "is better than it has any right to be", "carries the film",
                "drags like a wet sail", "hums along nicely", "took me by surprise",
                "feels borrowed from an older film", "is worth the ticket alone", "left me cold",
                "deserves a second look"),
    "clause": ("the story keeps its promises", "nobody on screen seems to be in a hurry",
               "every joke arrives a beat too late", "the harbour scenes glow", "you can feel the budget running out",
               "the characters talk like real people", "it forgets what it was about",
               "the twist is visible from the car park", "it earns its tears honestly",
               "the music tells you what to think", "half of the plot happens off screen", "small details do the work"),
    "clause_cap": ("It is a film for patient people", "You will guess the culprit early",
                   "The trailer gives the best lines away", "Nothing here is wasted", "It could lose twenty minutes"),
    "opener": ("Against all odds", "To be fair", "For the first hour", "Say what you like, but", "In the end",
               "On a big screen", "Without giving anything away", "As so often,", "At its best"),
    "watched": ("saw", "rewatched", "finally caught", "sat through", "stumbled upon"),
    "occasion": ("on a rainy Tuesday", "with my sister", "at a half-empty matinee", "on the night bus",
                 "twice in a week", "without having read the book", "on my phone, sorry"),
    "reaction": ("laughed more than I expected", "nearly walked out", "have thought about it every day since",
                 "want those two hours back", "forgot to eat my popcorn", "slept like a child",
                 "cried at the lighthouse"),
    "habit": ("like slow films", "can stand a little sugar", "grew up by the sea", "have ever lost a dog",
              "enjoy being confused", "go to the pictures for the pictures"),
    "advice": ("go and see it", "you could do worse", "stay at home", "bring a handkerchief", "wait for the disc",
               "leave your watch behind", "read the book instead"),
    "amount": ("plenty of", "hardly any", "a surprising amount of", "too much", "just enough", "a spoonful of"),
    "quality": ("charm", "courage", "craft", "noise", "tenderness", "smoke and mirrors", "wit", "melancholy", "muscle"),
    "place": ("the ballroom sequence", "the first act", "those kitchen scenes", "every frame", "the chase",
              "the letters"),
    "name": ("The lead", "The younger brother", "The actress who plays the widow", "The dog", "The villain",
             "The newcomer in the title part"),
    "acting": ("shines", "mumbles", "gives everything", "is miscast", "steals each scene", "does what can be done"),
    "role": ("a tired ferryman", "the accountant", "a spy with a cold", "the wrong twin", "a retired clown",
             "the only sane person on board"),
    "aside": ("which is saying something", "and that is a compliment", "for better or worse",
              "make of that what you will", "at least in my row", "though the book did it first",
              "even if the wig does not help"),
    "moment": ("the forty minute mark", "the wedding", "the second flashback", "the storm", "the train journey"),
    "effect": ("broke my heart", "made no sense to me", "woke me up again", "deserves applause",
               "undoes a lot of good work", "is exactly right"),
    "question": ("Why does nobody close the door?", "Who is this film for?", "Did we see the same picture?",
                 "How many endings does one story need?", "Is it too early to call it a classic?"),
    "companion": ("brother", "neighbour", "wife", "film club", "teenage daughter", "flatmate"),
    "opinion": ("loved it", "hated every minute", "fell asleep", "asked for a refund", "wants the soundtrack"),
    "disagree": ("see the point", "am not so sure", "say give it time", "laughed anyway", "blame the weather"),
    "image": ("that shot of the empty pier", "the sound of rain on tin", "a hand on a cold window",
              "the last telephone call", "a child counting ships", "the smell of salt you almost notice",
              "the way the light goes out"),
    "score_talk": ("Call it a strong seven", "I would give it half a point more for the hats",
                   "No rating can settle this", "One star for the cat, the rest for the composer",
                   "Ten years from now we shall know"),
    "plot": (
        "When {hero} {event}, {obstacle} forces {group} to {task}.",
        "{hero_cap} has one {time} to {task} before {obstacle} {threat}.",
        "Far from home, {hero} meets {stranger}, and together they {task}.",
        "Years later, {hero} returns to find that {obstacle} {threat}.",
        "Only {stranger} knows why {obstacle} {threat}, and nobody wants to listen.",
    ),
    "hero": ("a retired lighthouse keeper", "the youngest of five sisters", "a clerk with a perfect memory",
             "an unlucky cartographer", "a travelling piano tuner", "a ferry captain without a ferry"),
    "hero_cap": ("A stubborn beekeeper", "The last projectionist in town", "A disgraced magician", "A night nurse"),
    "event": ("inherits a locked house", "misses the last boat", "finds a letter addressed to nobody",
              "is mistaken for somebody famous", "loses the village's only map"),
    "obstacle": ("an old debt", "the coming winter", "a rival with a better hat", "a secret in the archive",
                 "the flood"),
    "group": ("two brothers", "an orchestra of amateurs", "the whole street", "her estranged family"),
    "task": ("cross the marsh", "rebuild the theatre", "tell the truth at last", "win a race nobody remembers",
             "return a stolen bell", "learn to speak again"),
    "time": ("night", "winter", "summer", "week"),
    "stranger": ("a smuggler of books", "a girl who collects echoes", "the tax inspector", "a silent gardener"),
    "threat": ("closes in", "comes to light", "takes the wheel", "swallows the road", "changes every name"),
}  # fmt: skip

VOICES: tuple[tuple[str, ...], ...] = (
    (
        "Un film lent, mais d'une grande beauté.",
        "La fin m'a laissé sans voix.",
        "À voir au moins une fois, même fatigué.",
    ),
    (
        "Ein schöner Film über kleine Leute.",
        "Die Musik ist großartig, das Drehbuch weniger.",
        "Man hätte kürzen können.",
    ),
    ("Una historia sencilla, contada con cariño.", "¿Por qué nadie cierra la puerta?", "La música lo salva todo."),
    ("Una noia mortale, peccato per gli attori.", "Però la fotografia è splendida.", "Più lungo di una domenica."),
    ("Um filme que não sabe onde acaba.", "A atuação principal é ótima.", "Não recomendo a quem tem pressa."),
    ("Piękne zdjęcia, ale scenariusz się sypie.", "Żal straconego wieczoru.", "Muzyka zostaje w głowie."),
    ("Очень тихое и честное кино.", "Концовка спорная, но музыка прекрасна.", "Посмотрю ещё раз осенью."),
    ("Ήσυχη ταινία με όμορφο φως.", "Το τέλος με μπέρδεψε."),
    ("静かな映画ですが、心に残ります。", "音楽が素晴らしい。", "もう一度見たい。"),
    ("这部电影很慢,但是很美。", "结局让我想了很久。", "音乐非常好听。"),
    ("조용하지만 오래 남는 영화입니다.", "음악이 정말 좋았어요."),
    ("فيلم هادئ وجميل.", "الموسيقى رائعة لكن النهاية ضعيفة."),
    ("סרט שקט ויפה.", "הסוף קצת ארוך מדי."),
    ("एक शांत और सुंदर फ़िल्म।", "संगीत बहुत अच्छा है।"),
    ("หนังเงียบแต่งดงาม", "เพลงเพราะมาก"),
)


def expand(symbol: str, rng: Random) -> str:
    """Write out a symbol of the grammar."""
    return re.sub(r"\{(\w+)\}", lambda slot: expand(slot[1], rng), rng.choice(GRAMMAR[symbol]))


def review_text(rng: Random, words: int) -> str:
    """Write an English review of at most as many words (of one sentence at least), in paragraphs if it is long."""
    sentences = [expand("sentence", rng)]
    length = len(sentences[0].split())
    while length < words - 12:
        sentences.append(expand("sentence", rng))
        length += len(sentences[-1].split())
    pieces = sentences[:1]
    for sentence in sentences[1:]:
        # people type one break, two, or two spaces after a full stop
        pieces += [rng.choices((" ", "  ", "\n\n", "\n"), (14, 3, 2, 1))[0] if words > 20 else " ", sentence]
    return "".join(pieces)


def foreign_text(rng: Random) -> str:
    """Write a few sentences in another language."""
    sentences = rng.choice(VOICES)
    return " ".join(rng.sample(sentences, rng.randint(1, len(sentences))))


def summary_text(rng: Random, sentences: int) -> str:
    return " ".join(expand("plot", rng) for _ in range(sentences))
