"""The sales organisation: three directors, six team managers, thirty reps (more when the company is larger)."""

from __future__ import annotations

import numpy as np
import polars as pl

from sandbox.names import draw_mobiles, draw_people

REGIONS = ("华东", "华南", "华北")
TEAMS = ("华东一部", "华东二部", "华南一部", "华南二部", "华北一部", "华北二部")
N_TEAMS = len(TEAMS)
LEADERS = 3 + N_TEAMS


def build_staff(rng: np.random.Generator, scale: float) -> pl.DataFrame:
    """One row per employee, in the order directors, managers, reps; `staff_no` is the row number.

    role, region_no, team_no (-1 for directors), skill (about N(0, 1); moves win rates and speed), names and ids.
    """
    n_reps = max(30, round(30 * scale))
    n = LEADERS + n_reps
    number = np.arange(n)
    role = np.select([number < 3, number < LEADERS], ["director", "manager"], "rep")
    team = np.select([role == "director", role == "manager"], [-1, number - 3], (number - LEADERS) % N_TEAMS)
    region = np.where(role == "director", number, team // 2)
    people = draw_people(rng, n)
    boss = np.select([role == "director", role == "manager"], [0, region], team + 3)
    joined = people.with_columns(
        staff_no=pl.lit(pl.Series(number)),
        role=pl.lit(pl.Series(role.tolist())),
        team_no=pl.lit(pl.Series(team)),
        region_no=pl.lit(pl.Series(region)),
        boss_no=pl.lit(pl.Series(boss)),
        skill=pl.lit(pl.Series(np.clip(rng.normal(0, 1, n), -1.8, 1.8))),
        mobile=pl.lit(draw_mobiles(rng, n)),
    ).with_columns(
        code=pl.lit(pl.Series(number + 1)).cast(pl.String).str.zfill(4),
        mailbox=pl.col("mailbox").str.replace_all(r"\d", ""),
    )
    return joined.with_columns(
        userid=pl.col("mailbox").str.replace_all(".", "", literal=True) + pl.col("code"),
        email=pl.col("mailbox") + pl.col("code").str.strip_chars_start("0") + "@jinxian-cnc.com",
        owner_id=pl.lit(pl.Series(71_000_000 + number * 37)).cast(pl.String),
        hubspot_user_id=pl.lit(pl.Series(9_100_000 + number * 11)).cast(pl.String),
        person_code=pl.lit("S") + pl.col("code"),
        department_no=pl.when(pl.col("role") == "director").then(pl.col("region_no") + 2).otherwise(pl.col("team_no") + 11),
    )


def draw_reps(rng: np.random.Generator, staff: pl.DataFrame, region_no: np.ndarray) -> np.ndarray:
    """staff_no of a rep of the region, for every entry of `region_no`."""
    n_reps = staff.height - LEADERS
    per_team = n_reps // N_TEAMS
    team = region_no * 2 + rng.integers(0, 2, len(region_no))
    return LEADERS + rng.integers(0, per_team, len(region_no)) * N_TEAMS + team
