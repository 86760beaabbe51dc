with planned as (

    select * from {{ ref('int_planned_receipts') }}

),

allocations as (

    select * from {{ ref('fct_receipt_allocation') }}
    where plan_key is not null

),

clock as (

    select {{ local_date(as_of()) }} as as_of_date

),

-- in the document's own currency where the receipt has the same one: exchange rates do not keep a paid line open
running as (

    select
        planned.plan_key,
        planned.due_date,
        allocations.* exclude (plan_key),  -- noqa: RF02
        sum(allocations.allocated_cny) over paid_so_far >= planned.due_amount_cny - 0.01
        or (
            bool_and(allocations.currency is not distinct from planned.currency) over paid_so_far
            and sum(allocations.allocated_amount) over paid_so_far >= planned.due_amount - 0.01
        ) as is_settled_by_now
    from planned
    inner join allocations on planned.plan_key = allocations.plan_key
    window paid_so_far as (
        partition by planned.plan_key order by allocations.received_date, allocations.allocation_key
    )

),

paid as (

    select
        plan_key,
        sum(allocated_cny) as received_cny,
        coalesce(sum(allocated_cny) filter (where received_date <= due_date), 0) as received_by_due_cny,
        coalesce(sum(allocated_cny) filter (where received_date < date_trunc('month', due_date) + interval 1 month), 0)
            as received_in_due_month_cny,
        max_by(is_settled_by_now, (received_date, allocation_key)) as is_settled,
        min(received_date) filter (where is_settled_by_now) as first_settled_date,
        max(received_date) as last_received_date,
        list(record_ref order by received_date, record_ref) as receipt_refs
    from running
    group by plan_key

),

judged as (

    select
        planned.*,
        clock.as_of_date,
        coalesce(paid.received_cny, 0) as received_cny,
        case when planned.due_date is not null then coalesce(paid.received_by_due_cny, 0) end as received_by_due_cny,
        case
            when planned.due_date is not null then coalesce(paid.received_in_due_month_cny, 0)
        end as received_in_due_month_cny,
        coalesce(paid.is_settled, false) as is_settled,
        case when paid.is_settled then paid.first_settled_date end as settled_date,
        paid.last_received_date,
        coalesce(paid.receipt_refs, cast([] as varchar[])) as receipt_refs
    from planned
    cross join clock
    left join paid on planned.plan_key = paid.plan_key

),

final as (

    select
        ---------- ids
        plan_key,
        basis,
        order_key,
        invoice_key,
        customer_gid,
        rep_key,
        team_key,

        ---------- state
        case
            when due_amount_cny is null then 'unknown_amount'
            when due_amount_cny <= 0 then 'credit'
            when is_settled then 'paid'
            when due_date is null then 'unscheduled'
            when due_date < as_of_date then 'overdue'
            else 'open'
        end as status,
        is_disputed,

        ---------- numerics
        due_amount,
        currency,
        due_amount_cny,
        cast(received_by_due_cny as decimal(18, 2)) as received_by_due_cny,
        cast(received_in_due_month_cny as decimal(18, 2)) as received_in_due_month_cny,
        cast(received_cny as decimal(18, 2)) as received_cny,
        cast(case when is_settled and due_amount_cny > 0 then 0 else due_amount_cny - received_cny end as decimal(18, 2))
            as outstanding_cny,
        case
            when due_date is null or due_amount_cny <= 0 then null
            else greatest(date_diff('day', due_date, coalesce(settled_date, as_of_date)), 0)
        end as days_late,

        ---------- dates
        due_date,
        expected_payment_date,
        last_received_date,
        settled_date,

        ---------- evidence
        order_ref,
        invoice_refs,
        receipt_refs,
        record_ref
    from judged

)

select * from final
