with planned as (

    select * from {{ ref('int_planned_receipts') }}

),

receipts as (

    select * from {{ ref('int_receipts') }}
    where received_date <= {{ local_date(as_of()) }}

),

direct as (

    select
        receipts.receipt_key,
        planned.plan_key,
        receipts.amount_cny as allocated_cny,
        'invoice' as allocation_rule
    from receipts
    inner join planned on receipts.invoice_key = planned.invoice_key

),

last_line_of_order as (

    select
        order_key,
        max_by(plan_key, (coalesce(due_date, date '9999-12-31'), plan_key)) as plan_key
    from planned
    where order_key is not null
    group by order_key

),

-- a refund known only by its order is taken off the order's last line
refunds as (

    select
        receipts.receipt_key,
        last_line_of_order.plan_key,
        receipts.amount_cny as allocated_cny,
        'order_refund' as allocation_rule
    from receipts
    inner join last_line_of_order on receipts.order_key = last_line_of_order.order_key
    anti join direct on receipts.receipt_key = direct.receipt_key
    where receipts.amount_cny < 0

),

fixed as (

    select * from direct
    union all
    select * from refunds

),

-- the order's open lines end to end, oldest due date first, each [line_from, line_to) in CNY
open_lines as (

    select
        planned.plan_key,
        planned.order_key,
        greatest(coalesce(planned.due_amount_cny, 0) - coalesce(sum(fixed.allocated_cny), 0), 0) as open_cny,
        planned.due_date
    from planned
    left join fixed on planned.plan_key = fixed.plan_key
    where planned.order_key is not null
    group by planned.plan_key, planned.order_key, planned.due_amount_cny, planned.due_date

),

line_spans as (

    select
        plan_key,
        order_key,
        sum(open_cny) over line_order - open_cny as line_from,
        sum(open_cny) over line_order as line_to
    from open_lines
    window line_order as (partition by order_key order by due_date nulls last, plan_key)

),

-- the order's receipts end to end, oldest first
receipt_spans as (

    select
        receipts.receipt_key,
        receipts.order_key,
        sum(receipts.amount_cny) over receipt_order - receipts.amount_cny as receipt_from,
        sum(receipts.amount_cny) over receipt_order as receipt_to
    from receipts
    anti join fixed on receipts.receipt_key = fixed.receipt_key
    where receipts.order_key is not null and receipts.amount_cny > 0
    window receipt_order as (partition by receipts.order_key order by receipts.received_date, receipts.receipt_key)

),

oldest_first as (

    select
        receipt_spans.receipt_key,
        line_spans.plan_key,
        least(receipt_spans.receipt_to, line_spans.line_to)
        - greatest(receipt_spans.receipt_from, line_spans.line_from) as allocated_cny,
        'order_oldest_first' as allocation_rule
    from receipt_spans
    inner join line_spans
        on
            receipt_spans.order_key = line_spans.order_key
            and receipt_spans.receipt_from < line_spans.line_to
            and receipt_spans.receipt_to > line_spans.line_from

),

allocated as (

    select * from fixed
    union all
    select * from oldest_first

),

unplanned as (

    select
        receipts.receipt_key,
        cast(null as varchar) as plan_key,
        receipts.amount_cny - coalesce(sum(allocated.allocated_cny), 0) as allocated_cny,
        'unplanned' as allocation_rule
    from receipts
    left join allocated on receipts.receipt_key = allocated.receipt_key
    group by receipts.receipt_key, receipts.amount_cny
    having
        count(allocated.plan_key) = 0
        or receipts.amount_cny <> sum(allocated.allocated_cny)

),

parts as (

    select * from allocated
    union all
    select * from unplanned

),

final as (

    select
        ---------- ids
        parts.receipt_key || '>' || coalesce(parts.plan_key, 'unplanned') as allocation_key,
        parts.receipt_key,
        parts.plan_key,
        receipts.customer_gid,
        receipts.rep_key,
        parts.allocation_rule,

        ---------- numerics
        cast(parts.allocated_cny as decimal(18, 2)) as allocated_cny,
        cast(
            receipts.amount * coalesce(parts.allocated_cny / nullif(receipts.amount_cny, 0), 1) as decimal(18, 2)
        ) as allocated_amount,
        receipts.currency,

        ---------- dates
        receipts.received_date,

        ---------- lineage
        receipts.record_ref
    from parts
    inner join receipts on parts.receipt_key = receipts.receipt_key

)

select * from final
