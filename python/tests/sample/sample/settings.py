"""Constants: key objects, enumerations, presets that a sentinel stands for."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

SEED = 7
RATE = 2 * 0.25


class cprop:
    def __init__(self, f: Callable[..., str]) -> None:
        self.f = f

    def __get__(self, obj: Any, owner: Any) -> str:
        return self.f(owner)


class Key:
    class obsm:
        @cprop
        def spatial(cls) -> str:
            return "spatial"

    class obsp:
        @classmethod
        def conn(cls, value: str | None = None) -> str:
            return f"{Key.obsm.spatial}_connectivities" if value is None else f"{value}_conn"


class Named(enum.Enum):
    @property
    def s(self) -> str:
        return str(self.value)


class Mode(Named):
    MORAN = "moran"
    GEARY = "geary"


class Token(enum.Enum):
    EMPTY = enum.auto()

    def __repr__(self) -> str:
        return "EMPTY"


EMPTY = Token.EMPTY


class Embedding(NamedTuple):
    key_added: str | None


class Preset(enum.StrEnum):
    Old = "old"
    New = "new"

    @property
    def pca(self) -> Embedding:
        return self._embedding("pca")

    @property
    def scale(self) -> Embedding:
        return {Preset.Old: Embedding("old key"), Preset.New: Embedding("new key")}[self]

    def _embedding(self, name: str) -> Embedding:
        return Embedding(key_added=None if self is Preset.Old else name)


class Settings:
    preset: Preset = Preset.Old


settings = Settings()


@dataclass(frozen=True)
class Default:
    preset: tuple[str, str] | None = None

    def resolve(self) -> object:
        if self.preset is None:
            raise TypeError("nothing to resolve")
        return self._get(settings.preset)

    def _get(self, preset: Preset) -> object:
        section, field = self.preset
        return getattr(getattr(preset, section), field)
