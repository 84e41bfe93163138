"""Profiles: how long and how strictly models are timed. Each scenario says what it makes of them."""

from __future__ import annotations

from typing import Literal, get_args

ProfileName = Literal["ci", "standard", "strict"]
PROFILES: tuple[ProfileName, ...] = get_args(ProfileName)
