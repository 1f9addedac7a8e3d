"""The state that a page since 2026 carries: its own components among menus, advertisements and the reader's session."""

from metacrawl.demo.backend.links import address, component_meta, named
from metacrawl.demo.backend.parts import Json
from metacrawl.demo.designs.devalue import UNDEFINED, Wrapped, flattened

ADS, SKELETON = "fandom-ads-ad-engine-config", "loadPage:skeleton:web:"
NONCE = "Tn3xW8rGq0demoHk5bVzYg"
MENUS = {
    "Games": ("New Boards", "Card Tables", "Puzzles", "Chess", "Riddles"),
    "Movies": ("In Halls", "Next Week", "By Score", "By Genre", "Old Favourites"),
    "TV Shows": ("Tonight", "Serials", "Quiz Evenings"),
    "Music": ("Brass Bands", "Choirs", "Harbour Songs"),
}
SLOTS = ("top_leaderboard", "top_boxad", "incontent_leaderboard", "bottom_leaderboard", "floor_adhesion", "skin")
BIDDERS = ("gull", "heron", "puffin", "tern")


def page_state(kind: str, name: str, path: str, page: Json, query: dict[str, str] | None = None) -> str:
    """Write the whole state of a page of a kind (`movies`, `movies-user-reviews`) that is made of components."""
    key = f"loadPage:{kind}:{name}:" + (_compact(query) if query else "")
    ads, skeleton = ads_config(), menus()
    keys = {ADS: ads, SKELETON: skeleton, key: page}
    shown = {**page, "pageType": kind, "id": name, "queryParams": Wrapped("Reactive", query) if query else UNDEFINED}
    root = {
        "data": Wrapped("ShallowReactive", keys),
        "state": Wrapped("Reactive", site_state()),
        "once": Wrapped("Set", []),
        "_errors": Wrapped("ShallowReactive", dict.fromkeys(keys, UNDEFINED)),
        "serverRendered": True,
        "path": path,
        "nonce": NONCE,
        "pinia": Wrapped("Reactive", stores(shown, skeleton)),
    }
    return flattened(Wrapped("ShallowReactive", root))


def _compact(query: dict[str, str]) -> str:
    return "{" + ",".join(f'"{name}":"{value}"' for name, value in query.items()) + "}"


def site_state() -> Json:
    return {
        "$si18n:cached-locale-configs": {"en": {"fallbacks": [], "cacheable": False}},
        "$si18n:resolved-locale": "",
        "$stoasts": [],
        "$smodal:auth:isOpen": False,
        "$smodal:reviewReadMore:review": None,
    }


def stores(page: Json, skeleton: Json) -> Json:
    """Give what the page's parts share; the components are those of the page's data once more."""
    nobody, no = Wrapped("EmptyRef", "null"), Wrapped("EmptyRef", "false")
    return {
        "auth": {"user": nobody, "loggedIn": no, "urs": {"errors": []}},
        "pageData": {
            "pages": Wrapped("Ref", Wrapped("Reactive", [page])),
            "header": Wrapped("Ref", Wrapped("Reactive", skeleton["header"])),
            "footer": Wrapped("Ref", Wrapped("Reactive", skeleton["footer"])),
        },
        "headerSearch": {
            "searchPhrase": Wrapped("EmptyRef", '""'),
            "suggestions": Wrapped("Ref", Wrapped("Reactive", [])),
            "isLoading": no,
        },
        "udsUser": {"userId": nobody, "userState": Wrapped("Ref", "ANONYMOUS"), "isInitialized": no},
    }


def menus() -> Json:
    """Give the page's frame, which is made of components too."""
    header = []
    for title, entries in MENUS.items():
        place = title.lower().replace(" ", "-")
        name = named(f"metacritic-{place}", title, "DropDownLinks")
        href = address(f"/components/metacritic/listing/dropdown/metacritic-{place}/web", name)
        items = [
            {"label": entry, "url": f"/{place}/{entry.lower().replace(' ', '-')}/", "icon": None} for entry in entries
        ]
        data = {"id": f"menu-{place}", "title": title, "componentLabel": None, "root": f"/{place}/", "items": items}
        header.append({"data": data, "links": {"self": {"href": href}}, "meta": component_meta(name)})
    name = named("footer", "", "ContentList")
    footer = {
        "data": {"title": None, "items": None},
        "links": {"self": {"href": address("/footers/metacritic", name)}},
        "meta": component_meta(name),
    }
    return {"meta": {"edition": "us", "title": None}, "footer": [footer], "header": header}


def ads_config() -> Json:
    """Give the settings of the advertisements, some thousand values of no interest."""
    slots = {
        slot: {
            "name": slot,
            "sizes": [[[1024, 0], [[970, 250], [728, 90], [970, 66]]], [[768, 0], [[728, 90], [3, 3]]]],
            "targeting": {"loc": slot.split("_", maxsplit=1)[0], "pos": slot},
            "isFirstCall": slot.startswith("top"),
            "refresh": {"enabled": True, "removeSizes": True, "exactSizesToRemove": [[3, 3], [2, 2]]},
            "bidders": {
                "prebid": {"mediaTypes": {"banner": {}}, "bids": {bidder: bids(slot, bidder) for bidder in BIDDERS}}
            },
        }
        for slot in SLOTS
    }
    return {"version": "v270", "app": "metacritic", "slots": {"baseSlots": slots}, "managers": {}, "plugins": {}}


def bids(slot: str, bidder: str) -> list[Json]:
    return [
        {"bidder": bidder, "params": {"4": {"placementId": f"{len(slot)}{len(bidder)}{number}", "pos": slot}}}
        for number in (36754091, 36773102)
    ]
