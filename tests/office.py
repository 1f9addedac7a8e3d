"""LibreOffice, as it opens files that somebody was sent."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
PROGRAM = "soffice"


@dataclass
class Sheet:
    """What came of a file: the cells as text, and those that are formulas."""

    rows: list[list[str]]
    formulas: list[str]


def installed() -> bool:
    return shutil.which(PROGRAM) is not None


def opened(csv: Path, folder: Path, separator: str = ",") -> Sheet:
    """Open a CSV file in the way that is least careful: what looks like a formula is one, quoted or not."""
    # Separator, quote, UTF-8, from line 1, no formats, language, quoted cells are read as others, no dates, as shown,
    # no formulas to export, blanks kept, sheet, and formulas evaluated.
    options = f"CSV:{ord(separator)},34,76,1,,0,false,false,true,false,false,-1,true"
    command = [PROGRAM, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", f"--infilter={options}"]
    command += ["--convert-to", "fods", "--outdir", str(folder), str(csv)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    root = etree.parse(folder / f"{csv.stem}.fods").getroot()
    formulas = [cell.get(f"{TABLE}formula") for cell in root.iter(f"{TABLE}table-cell") if cell.get(f"{TABLE}formula")]
    return Sheet([row_of(row) for row in root.iter(f"{TABLE}table-row")], formulas)


def row_of(row: etree._Element) -> list[str]:
    cells = []
    for cell in row.iter(f"{TABLE}table-cell"):
        lines = [text_of(line) for line in cell.iterchildren(f"{TEXT}p")]
        cells += ["\n".join(lines)] * int(cell.get(f"{TABLE}number-columns-repeated", "1"))
    return cells


def text_of(line: etree._Element) -> str:
    """Give a line with its runs of blanks, which are elements."""
    text = line.text or ""
    for part in line:
        blanks = {f"{TEXT}s": " ", f"{TEXT}tab": "\t", f"{TEXT}line-break": "\n"}.get(part.tag)
        text += blanks * int(part.get(f"{TEXT}c", "1")) if blanks else text_of(part)
        text += part.tail or ""
    return text
