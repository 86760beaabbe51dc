"""WeCom approvals (审批): low quotes, legal reviews of contracts, barriers declared solved."""

from __future__ import annotations

import numpy as np
import polars as pl

from sandbox.activities import BARRIERS
from sandbox.clock import NEVER, as_dates, as_times
from sandbox.noise import draw_words
from sandbox.vendors.hubspot_deals import deal_ids
from sandbox.vendors.shape import World, const, stamp, take

TEMPLATES = {
    "quote": ("报价审批", "3WLJ8quote01"),
    "legal": ("合同法务审核", "3WLJ8legal02"),
    "barrier": ("障碍解决核实", "3WLJ8barrier3"),
}
_HANDLED = ("已提供样品测试报告", "客户总工确认参数", "高层会面后同意", "价格方案已批", "账期调整为60天")


def _field(control: str, title: str, value: pl.Expr, number: int) -> pl.Expr:
    """One control of apply_data as WeCom writes it; `value` is JSON text."""
    head = f'{{"control":"{control}","id":"{control}-{number}","title":[{{"text":"{title}","lang":"zh_CN"}}],"value":'
    return pl.concat_str(pl.lit(head), value, pl.lit("}"))


def _text(value: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit('{"text":"'), value, pl.lit('"}'))


def _option(value: pl.Expr) -> pl.Expr:
    head = '{"selector":{"type":"single","options":[{"key":"option-1","value":[{"text":"'
    return pl.concat_str(pl.lit(head), value, pl.lit('","lang":"zh_CN"}]}]}}'))


def _contents(*fields: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit('{"contents":['), pl.concat_str(*fields, separator=","), pl.lit("]}"))


def shape_approvals(rng: np.random.Generator, world: World) -> pl.DataFrame:
    """Each application twice: pending when it is made, settled when it is decided (or never, or withdrawn)."""
    rows = world.work.approvals
    n = rows.height
    at, decided = rows["at"].to_numpy(), rows["decided_at"].to_numpy()
    deal = take(deal_ids(world), rows["deal_no"])
    firm = take(world.sales.customers["legal_name"], rows["customer_no"])
    money = pl.concat_str(pl.lit('{"new_money":"'), const(rows["amount"]).round(0).cast(pl.Int64).cast(pl.String), pl.lit('"}'))
    number = _field("Text", "商机编号", _text(const(deal)), 1)
    contract = pl.lit("HT") + const(deal).str.slice(2)
    data = (
        pl.when(const(rows["kind"]) == "quote")
        .then(_contents(number, _field("Text", "客户名称", _text(const(firm)), 2), _field("Money", "报价金额", money, 3)))
        .when(const(rows["kind"]) == "legal")
        .then(_contents(number, _field("Text", "合同编号", _text(contract), 2)))
        .otherwise(
            _contents(
                number,
                _field("Selector", "障碍类型", _option(const(take(pl.Series(BARRIERS), rows["barrier_no"]))), 2),
                _field("Textarea", "处理说明", _text(const(draw_words(rng, _HANDLED, n))), 3),
            )
        )
    )
    staff = world.staff
    boss = take(staff["userid"], take(staff["boss_no"], rows["rep_no"]))
    day = as_dates(at).dt.strftime("%Y%m%d")
    names = {kind: name for kind, (name, _) in TEMPLATES.items()}
    template = {kind: code for kind, (_, code) in TEMPLATES.items()}
    base = pl.select(
        sp_no=const(day + pl.Series(np.arange(1, n + 1)).cast(pl.String).str.zfill(6)),
        sp_name=const(rows["kind"]).replace_strict(names),
        template_id=const(rows["kind"]).replace_strict(template),
        applyer_userid=const(take(staff["userid"], rows["rep_no"])),
        applyer_partyid=const(take(staff["department_no"], rows["rep_no"])).cast(pl.String),
        apply_data=data,
        comments=pl.lit("[]"),
        apply_time=const(as_times(at)),
    )
    settled = pl.Series(rows["status"])
    return pl.concat(
        [
            stamp(base.with_columns(sp_status=pl.lit(1, dtype=pl.Int64), sp_record=_record(boss, pl.lit(1), pl.lit(0))), at),
            stamp(
                base.with_columns(
                    sp_status=const(settled).cast(pl.Int64),
                    sp_record=_record(boss, const(settled), const(np.where(decided < NEVER, decided, 0))),
                ),
                decided,
            ),
        ]
    )


def _record(boss: pl.Series, status: pl.Expr, at: pl.Expr) -> pl.Expr:
    """sp_record: one step, one approver; a withdrawn application leaves the approver's state open."""
    state = pl.when(status == 4).then(pl.lit(1)).otherwise(status).cast(pl.String)
    return pl.concat_str(
        pl.lit('[{"sp_status":'),
        state,
        pl.lit(',"approverattr":1,"details":[{"approver":{"userid":"'),
        const(boss),
        pl.lit('"},"speech":"","sp_status":'),
        state,
        pl.lit(',"sptime":'),
        at.cast(pl.String),
        pl.lit("}]}]"),
    )
