"""Weights of a model from the counts of distinct comparison vectors: from certain keys, without labels, or as the rules say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hub.rules.model import Rules, RulesError
from hub.scoring.frequency import SOURCE_KIND
from hub.scoring.weights import AND, Floats, Matrix, look_up_bits, mark_interaction, to_chance, weigh_vectors
from hub.training import em, logistic
from hub.training.bounds import choose_misses, group_levels, is_title
from hub.training.labels import describe, thin
from hub.training.lone import PRIOR, count_chances, find_lone, find_only_telling, weigh_beside, weigh_lone
from hub.training.near import give, stay_near
from hub.training.rivals import Partners, Rivals
from hub.training.rivals import learn as learn_partners
from hub.training.twins import Repeats, hold_back
from hub.training.written import are_graded, name_joint, name_weights, pair

Ints = npt.NDArray[np.int64]

#: labelled pairs in all, and of each outcome, from which labels decide
LEAST_LABELS = 300
LEAST_OF_EACH = 30
#: how far labels may be expected to move a weight, in bits: given ones, ones found without labels, interactions
_SPREAD_GIVEN = 1.0
_SPREAD_FOUND = 2.0
_SPREAD_INTERACTION = 1.0
_SPREAD_PRIOR = 20.0
#: matches that a weight of the rules is worth where there are no labels
_MATCHES_OF_RULE = 20.0


@dataclass(frozen=True)
class Trained:
    """Weights in bits by name (see hub.scoring.weights) and how they came about."""

    weights: dict[str, float]
    report: dict[str, Any]


def train(
    matrix: Matrix,
    counts: Ints,
    same: Ints | None,
    conflict: Ints | None,
    names: Sequence[Sequence[str]],
    rules: Rules,
    n_records: int,
    background: tuple[Matrix, Ints] | None = None,
    repeats: Repeats | None = None,
    most_by_chance: Mapping[int, float] | None = None,
    rivals: Rivals | None = None,
) -> Trained:
    """Weights for the rules' comparisons.

    Args:
        matrix: a distinct vector of level numbers per row; counts: candidate pairs that have it.
        same: how many of these have certain keys that agree; conflict: that conflict. None where there are no certain keys.
        names: names[c][k] is level k of comparison c, 0 is `missing`.
        background: vectors and counts of random pairs that are no candidates (hub.candidates.sample), so that chance agreement is
            that of any two records.
        repeats: what speaks against repeats within the sources (hub.training.twins), for weights that no label teaches.
        most_by_chance: by comparison how often two records agree on it by chance at most (hub.training.names).
        rivals: the candidate pairs, which compete where no list has a thing twice (hub.training.rivals).
    """
    if rules.training == "fixed":
        return _keep(rules)
    if not len(matrix):
        return Trained(dict(rules.weights), {"method": "none", "why": "no candidate pairs"})
    labelled = int(same.sum() + conflict.sum()) if same is not None and conflict is not None else 0
    if rules.training == "certain" and same is not None and conflict is not None:
        enough = labelled >= LEAST_LABELS and min(int(same.sum()), int(conflict.sum())) >= LEAST_OF_EACH
        if enough:
            return _learn_from_labels(matrix, counts, same, conflict, names, rules, n_records, background)
        if "prior" in rules.weights:
            return Trained(dict(rules.weights), {"method": "fixed", "why": "too few labels", "labelled_pairs": labelled})
    found = _learn_unlabelled(matrix, counts, names, rules, n_records, background, repeats, most_by_chance, rivals)
    if "prior" not in rules.weights:
        return Trained(found.weights, {**found.report, "labelled_pairs": labelled})
    weights, expected = stay_near(found.weights, matrix, counts, rules, names)
    report = {"method": "fixed", "why": "learnt weights expect no more matches"} if weights == rules.weights else found.report
    return Trained(weights, {**report, **expected, "labelled_pairs": labelled})


def _keep(rules: Rules) -> Trained:
    if "prior" not in rules.weights:
        raise RulesError("weights.prior is missing; fixed training needs the weight of a candidate pair before any evidence")
    return Trained(dict(rules.weights), {"method": "fixed"})


def _learn_unlabelled(
    matrix: Matrix,
    counts: Ints,
    names: Sequence[Sequence[str]],
    rules: Rules,
    n_records: int,
    background: tuple[Matrix, Ints] | None,
    repeats: Repeats | None = None,
    most_by_chance: Mapping[int, float] | None = None,
    rivals: Rivals | None = None,
) -> Trained:
    sources = {field.name for field in rules.fields if field.kind == SOURCE_KIND}
    sample, sample_counts = background if background is not None else (matrix[:0], counts[:0])
    chances = [count_chances(sample[:, place], sample_counts, len(levels)) for place, levels in enumerate(names)]
    kept = dict.fromkeys(sources, repeats.bits if repeats else 0.0)
    if not rules.weights and (lone := find_lone(rules, names, sources, chances)) is not None:
        return _weigh_alone(lone, kept, chances, rules, names)
    given = look_up_bits(rules.weights, rules, names)
    unrepeated = next((place for place, one in enumerate(rules.comparisons) if repeats and one.field in sources), None)
    if repeats and unrepeated is not None:
        given[unrepeated][1] = repeats.bits
    is_given = [
        any(f"{comparison.name}.{level}" in rules.weights for level in levels) for comparison, levels in pair(rules, names)
    ]
    population = em.Population(
        matrix,
        counts.astype(np.float64),
        sample,
        sample_counts.astype(np.float64),
        n_records if background is not None else 0,
        names,
        are_graded(rules, names),
        # nothing is supposed of sources: whether each of them repeats what it has is for the pairs to say
        [
            bits if start or comparison.field in sources else None
            for bits, start, comparison in zip(given, is_given, rules.comparisons, strict=True)
        ],
        [choose_misses(comparison, rules) for comparison in rules.comparisons],
        [is_title(comparison, rules) for comparison in rules.comparisons],
        unrepeated,
        give(given, matrix, rules, names) if "prior" in rules.weights else None,
        most_by_chance or {},
    )
    learned = em.learn(population)
    if repeats and unrepeated is not None:
        learned.bits[unrepeated][1] += hold_back(learned.weigh(matrix), counts, matrix[:, unrepeated] == 1, repeats.odds)
    matches = float((counts * to_chance(learned.weigh(matrix, population.given))).sum())
    if not rules.weights and (learned.weigh(matrix) < rules.match_bits).all():
        # one column tells and little corroborates it: round by round what it says has passed for chance
        doubles = 1 / max(n_records - 1, 1)  # the share of all pairs that they are, if each record has one
        if (lone := find_only_telling(rules, names, sources, learned.u, doubles)) is not None:
            return _weigh_alone(lone, kept, learned.u, rules, names)
    if rivals and not rules.weights:
        source = next((place for place, one in enumerate(rules.comparisons) if one.field in sources), None)
        if partners := learn_partners(population, learned.weigh(matrix), rivals, source):
            return _weigh_partners(partners, population, rules)
    bits = []
    for own, rule, start, m in zip(learned.bits, given, is_given, learned.m, strict=True):
        support = np.concatenate([[0.0], m * matches])
        bits.append((own * support + rule * _MATCHES_OF_RULE) / (support + _MATCHES_OF_RULE) if start else own)
    given_prior = rules.weights.get("prior", learned.prior)
    prior = (learned.prior * matches + given_prior * _MATCHES_OF_RULE) / (matches + _MATCHES_OF_RULE)
    weights = {"prior": prior, **name_weights(rules, names, bits)}
    weights |= {interaction.name: rules.weights.get(interaction.name, 0.0) for interaction in rules.interactions}
    weights |= name_joint(learned, rules, names)
    report = {
        "method": "em",
        "rounds": learned.rounds,
        "prior": learned.prior,
        "expected_matches": matches,
        **({"repeats": {"odds": repeats.odds, "bits": repeats.bits}} if repeats and unrepeated is not None else {}),
        "levels": learned.describe([comparison.name for comparison in rules.comparisons], names),
        "dependent": [f"{rules.comparisons[a].name}{AND}{rules.comparisons[b].name}" for a, b in learned.joint],
    }
    return Trained(weights, report)


def _weigh_partners(partners: Partners, population: em.Population, rules: Rules) -> Trained:
    names, found = population.names, partners.bits
    ends = np.cumsum([len(levels) - 1 for levels in names])
    bits = [np.concatenate([[0.0], own]) for own in np.split(found[1:], ends[:-1])]
    weights = {"prior": float(found[0]), **name_weights(rules, names, bits)}
    expected = float((population.counts * to_chance(weigh_vectors(population.matrix, weights, rules, names))).sum())
    report = {
        "method": "partners",
        "prior": weights["prior"],
        "expected_matches": expected,
        "told": partners.told,
        "apart": partners.apart,
    }
    return Trained(weights, report)


def _weigh_alone(
    lone: int, kept: Mapping[str, float], chances: Sequence[Floats], rules: Rules, names: Sequence[Sequence[str]]
) -> Trained:
    """kept: by field of sources, what two records of one of them have against being one."""
    weights = {"prior": PRIOR}
    for place, (comparison, levels) in enumerate(pair(rules, names)):
        found = weigh_lone(levels[1:]) if place == lone else weigh_beside(levels[1:], chances[place])
        if comparison.field in kept:
            found = {level: kept[comparison.field] if level == levels[1] else 0.0 for level in levels[1:]}
        weights |= {f"{comparison.name}.{level}": bits for level, bits in found.items()}
    return Trained(weights, {"method": "lone", "why": f"only {rules.comparisons[lone].name} tells entities apart"})


def _learn_from_labels(
    matrix: Matrix,
    counts: Ints,
    same: Ints,
    conflict: Ints,
    names: Sequence[Sequence[str]],
    rules: Rules,
    n_records: int,
    background: tuple[Matrix, Ints] | None,
) -> Trained:
    """The certain comparison is no feature: its labels are what is learnt. It keeps the weights of the rules.

    So do sources: labels come from those that know certain keys, and say nothing of the others.
    """
    kept = {part.partition(".")[0] for part in rules.certain} | {
        field.name for field in rules.fields if field.kind == SOURCE_KIND
    }
    free = [place for place, comparison in enumerate(rules.comparisons) if comparison.field.partition(".")[0] not in kept]
    wanted = [f"{rules.comparisons[place].name}.{level}" for place in free for level in names[place][1:]]
    start = dict(rules.weights)
    if not any(name in rules.weights for name in wanted):
        found = _learn_unlabelled(matrix, counts, names, rules, n_records, background).weights
        start = {name: bits for name, bits in found.items() if AND not in name} | start
    same, conflict = thin(same, conflict)
    taught = np.flatnonzero(same + conflict)
    matrix, same, conflict = matrix[taught], same[taught], conflict[taught]

    columns = [np.ones(len(matrix), dtype=bool)]
    labels, centre, spread = ["prior"], [start.get("prior", -8.0)], [_SPREAD_PRIOR]
    for place in free:
        for level, name in enumerate(names[place][1:], start=1):
            label = f"{rules.comparisons[place].name}.{name}"
            columns.append(matrix[:, place] == level)
            labels.append(label)
            centre.append(start.get(label, 0.0))
            spread.append(_SPREAD_GIVEN if label in rules.weights else _SPREAD_FOUND)
    for interaction in rules.interactions:
        if any(when.partition(".")[0] in {rules.comparisons[place].name for place in free} for when in interaction.when):
            columns.append(mark_interaction(interaction, matrix, rules, names))
            labels.append(interaction.name)
            centre.append(start.get(interaction.name, 0.0))
            spread.append(_SPREAD_INTERACTION)
    fitted, rounds = logistic.fit(
        np.stack(columns, axis=1), same.astype(np.float64), conflict.astype(np.float64), np.array(centre), np.array(spread)
    )
    weights = {**start, **dict(zip(labels, fitted.tolist(), strict=True))}
    weights = _restore_order(weights, rules, names, free, matrix, same)
    report = {
        "method": "certain",
        "rounds": rounds,
        "labelled_pairs": int(same.sum() + conflict.sum()),
        "agreeing_pairs": int(same.sum()),
        "prior": weights["prior"],
        "levels": describe(matrix, same, conflict, names, rules),
    }
    return Trained(weights, report)


def _restore_order(
    weights: dict[str, float], rules: Rules, names: Sequence[Sequence[str]], free: Sequence[int], matrix: Matrix, same: Ints
) -> dict[str, float]:
    """A better grade never weighs less than a worse one, in comparisons whose levels are graded."""
    bits = look_up_bits(weights, rules, names)
    graded = are_graded(rules, names)
    for place in free:
        if not graded[place]:
            continue
        found = np.bincount(matrix[:, place], weights=same, minlength=len(names[place]))[1:] + 1.0
        m = found / found.sum()
        ordered = em.keep_order(bits[place][1:], m, m / np.exp2(bits[place][1:]), group_levels(names[place]), found.sum())
        bits[place] = np.concatenate([[0.0], ordered])
    return {**weights, **name_weights(rules, names, bits)}
