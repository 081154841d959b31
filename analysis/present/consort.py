"""The flow of families and children: what stands in each box, whether it adds up, and the same in words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.errors import ReportError
from analysis.present import format as fmt
from analysis.present.reading import ALL, arm_label, arms_of, count
from analysis.results import Result
from analysis.spec.declarations import Spec
from analysis.spec.flow_stages import Box, Stage

LEVELS = ("families", "children")
Kind = Literal["main", "side", "joins", "note"]
Sizes = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a box: what, and how many families and children."""

    label: str
    sizes: Sizes

    @property
    def text(self) -> str:
        return f"{self.label}: {size_text(self.sizes)}"


@dataclass(frozen=True, slots=True)
class Node:
    """A box of the diagram. A *note* is shown in passing and is not part of the count."""

    stage: str
    arm: str
    kind: Kind
    title: str
    sizes: Sizes | None
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A box on the trunk, and above it the boxes that leave or enter on the way to it."""

    box: Node
    before: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """The diagram: steps all share, then the steps of each arm. Without arms all steps are shared."""

    shared: tuple[Step, ...]
    arms: Mapping[str, tuple[Step, ...]]


def read_flow(result: Result, spec: Spec) -> Flow:
    """The diagram of a flow result.

    Raises
    ------
    ReportError
        If the flow does not add up.
    """
    check_conservation(result, spec.stages)
    arms = tuple(arm for arm in arms_of([result]) if arm != ALL)
    stages = [stage for stage in spec.stages.values() if _is_counted(result, stage, ALL)]
    split = (
        next((at for at, stage in enumerate(stages) if _is_counted(result, stage, *arms)), None)
        if arms
        else None
    )
    end = len(stages) if split is None else split + 1
    return Flow(
        shared=tuple(_steps(result, stages[:end], ALL, spec, is_whole=True)),
        arms={arm: tuple(_steps(result, stages[split:], arm, spec, is_whole=False)) for arm in arms},
    )


def check_conservation(result: Result, stages: Mapping[str, Stage]) -> None:
    """Refuse a flow in which those who enter a stage are not those who stay and those who leave.

    At both levels main(stage) + side(stage) = main(stage before) + joins(stage), for all together and in each
    arm; and in every box the arms sum to all.

    Raises
    ------
    ReportError
        Naming the first stage that does not add up.
    """
    arms = tuple(arm for arm in arms_of([result]) if arm != ALL)
    for arm in (ALL, *arms):
        for level in LEVELS:
            _check_in_and_out(result, stages.values(), arm, level)
    for stage in stages.values():
        if arms and _is_counted(result, stage, *arms):
            _check_arms(result, stage, arms)


def size_text(sizes: Sizes) -> str:
    """Families and children of a box."""
    return f"{fmt.families(sizes[0])}, {fmt.children(sizes[1])}"


def flow_text(flow: Flow) -> str:
    """The diagram in words, with the same numbers, top to bottom."""
    lines = [line for step in flow.shared for line in _step_lines(step, "")]
    for steps in flow.arms.values():
        head, *rest = [line for step in steps for line in _step_lines(step, "  ")]
        lines += [head.strip(), *rest]
    return "\n".join(lines) + "\n"


def _is_counted(result: Result, stage: Stage, *arms: str) -> bool:
    return any(
        each.labels["stage"] == stage.id and each.labels["arm"] in arms and each.labels["box"] in _ids(stage)
        for each in result.counts
    )


def _ids(stage: Stage) -> set[str]:
    return {box.id for box in stage.boxes}


def boxes_of(result: Result, stage: Stage) -> list[Box]:
    """The boxes of a stage, without those that are there only for somebody and have nobody."""
    counted = {each.labels["box"] for each in result.counts if each.labels["stage"] == stage.id}
    return [box for box in stage.boxes if not box.if_any or box.id in counted]


def _sum(result: Result, stage: Stage, arm: str, level: str, kinds: Iterable[str]) -> int:
    return sum(_n(result, stage, box.id, arm, level) for box in boxes_of(result, stage) if box.kind in kinds)


def _n(result: Result, stage: Stage, box: str, arm: str, level: str) -> int:
    n = count(result, level, stage=stage.id, box=box, arm=arm)
    if n is None:
        raise ReportError(f"flow, stage {stage.id}: box {box} has no count of {level} for {arm}.")
    return n


def _check_in_and_out(result: Result, stages: Iterable[Stage], arm: str, level: str) -> None:
    entering: int | None = None
    for stage in stages:
        if not _is_counted(result, stage, arm) or all(box.kind != "main" for box in stage.boxes):
            continue
        held = _sum(result, stage, arm, level, ("main", "side"))
        joined = _sum(result, stage, arm, level, ("joins",))
        if entering is not None and entering + joined != held:
            raise ReportError(
                f"flow, stage {stage.id}, {arm}: {entering} {level} enter and {joined} join, "
                f"but {held} stay or leave."
            )
        entering = _sum(result, stage, arm, level, ("main",))


def _check_arms(result: Result, stage: Stage, arms: Sequence[str]) -> None:
    for box in boxes_of(result, stage):
        for level in LEVELS:
            parts = sum(_n(result, stage, box.id, arm, level) for arm in arms)
            whole = _n(result, stage, box.id, ALL, level)
            if parts != whole:
                raise ReportError(
                    f"flow, stage {stage.id}, box {box.id}: the arms together have {parts} {level}, "
                    f"all have {whole}."
                )


def _steps(
    result: Result, stages: Sequence[Stage], arm: str, spec: Spec, *, is_whole: bool
) -> Iterator[Step]:
    """Steps of one column. The first of the whole flow shows all who enter; its leavers stand below it."""
    waiting: tuple[Node, ...] = ()
    for position, stage in enumerate(stages):
        if not _is_counted(result, stage, arm):
            continue
        opens = is_whole and position == 0
        branches = tuple(_branches(result, stage, arm))
        title = stage.label if is_whole or position else f"{arm}: {arm_label(arm, spec)}"
        yield Step(_box(result, stage, arm, title, opens=opens), waiting if opens else (*waiting, *branches))
        waiting = branches if opens else ()


def _box(result: Result, stage: Stage, arm: str, title: str, *, opens: bool) -> Node:
    items = tuple(_items(result, stage, arm, "note"))
    kinds = ("main", "side") if opens else ("main",)
    if all(box.kind != "main" for box in stage.boxes):
        return Node(stage.id, arm, "note", title, None, items)
    return Node(stage.id, arm, "main", title, _sizes(result, stage, arm, kinds), items)


def _branches(result: Result, stage: Stage, arm: str) -> Iterator[Node]:
    for kind in ("joins", "side"):
        items = tuple(_items(result, stage, arm, kind))
        if len(items) == 1:
            yield Node(stage.id, arm, kind, items[0].label, items[0].sizes)
        elif items:
            yield Node(
                stage.id, arm, kind, _together(stage, kind), _sizes(result, stage, arm, (kind,)), items
            )


def _together(stage: Stage, kind: str) -> str:
    stays = next((box.label for box in stage.boxes if box.kind == "main"), stage.label)
    return f"Not {stays[0].lower()}{stays[1:]}" if kind == "side" else "Joined"


def _items(result: Result, stage: Stage, arm: str, kind: str) -> Iterator[Item]:
    for box in boxes_of(result, stage):
        if box.kind == kind:
            families, children = (_n(result, stage, box.id, arm, level) for level in LEVELS)
            yield Item(box.label, (families, children))


def _sizes(result: Result, stage: Stage, arm: str, kinds: Iterable[str]) -> Sizes:
    families, children = (_sum(result, stage, arm, level, kinds) for level in LEVELS)
    return families, children


def _step_lines(step: Step, indent: str) -> Iterator[str]:
    for node in step.before:
        word = "joining" if node.kind == "joins" else "leaving"
        yield from _node_lines(node, f"{indent}  {word}: ")
    yield from _node_lines(step.box, indent)


def _node_lines(node: Node, indent: str) -> Iterator[str]:
    blank = " " * len(indent)
    yield f"{indent}{node.title}: {size_text(node.sizes)}" if node.sizes else f"{indent}{node.title}"
    yield from (f"{blank}  {item.text}" for item in node.items)
