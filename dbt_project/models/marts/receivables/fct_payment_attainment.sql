with plan as (

    select * from {{ ref('fct_receipt_plan') }}

),

allocations as (

    select * from {{ ref('fct_receipt_allocation') }}

),

receipts as (

    select * from {{ ref('int_receipts') }}
    where received_date <= {{ local_date(as_of()) }}

),

reps as (

    select * from {{ ref('int_reps') }}

),

stage_visits as (

    select * from {{ ref('fct_stage_visit') }}
    where is_ended

),

-- FU-3: visits that reached the next stage of the visits that ended
conversion as (

    select
        {{ local_month('exited_at') }} as period_month,
        coalesce(team_key, 'unassigned') as team_key,
        count(*) as n_stage_exits,
        count(*) filter (where outcome = 'advanced') as n_stage_advances
    from stage_visits
    group by {{ local_month('exited_at') }}, coalesce(team_key, 'unassigned')

),

-- of what fell due in the month (up to as_of), what had come in by the end of that month
due as (

    select
        cast(date_trunc('month', plan.due_date) as date) as period_month,
        coalesce(plan.team_key, 'unassigned') as team_key,
        plan.plan_key,
        plan.due_amount_cny,
        sum(allocations.allocated_cny) filter (
            where allocations.received_date < date_trunc('month', plan.due_date) + interval 1 month
        ) as received_cny
    from plan
    left join allocations on plan.plan_key = allocations.plan_key
    where plan.due_date <= {{ local_date(as_of()) }} and plan.due_amount_cny > 0
    group by plan.plan_key, plan.due_date, plan.team_key, plan.due_amount_cny

),

attainment as (

    select
        period_month,
        team_key,
        count(*) as n_due,
        sum(due_amount_cny) as due_cny,
        sum(greatest(least(coalesce(received_cny, 0), due_amount_cny), 0)) as received_of_due_cny
    from due
    group by period_month, team_key

),

cash as (

    select
        cast(date_trunc('month', receipts.received_date) as date) as period_month,
        coalesce(reps.team_key, 'unassigned') as team_key,
        sum(receipts.amount_cny) as cash_received_cny
    from receipts
    left join reps on receipts.rep_key = reps.rep_key
    group by cast(date_trunc('month', receipts.received_date) as date), coalesce(reps.team_key, 'unassigned')

),

team_months as (

    select
        period_month,
        team_key
    from conversion
    union
    select
        period_month,
        team_key
    from attainment
    union
    select
        period_month,
        team_key
    from cash

),

final as (

    select
        ---------- ids
        team_months.period_month,
        team_months.team_key,

        ---------- numerics
        coalesce(conversion.n_stage_exits, 0) as n_stage_exits,
        coalesce(conversion.n_stage_advances, 0) as n_stage_advances,
        {{ ratio('conversion.n_stage_advances', 'conversion.n_stage_exits') }} as process_conversion,
        coalesce(attainment.n_due, 0) as n_due,
        cast(coalesce(attainment.due_cny, 0) as decimal(18, 2)) as due_cny,
        cast(coalesce(attainment.received_of_due_cny, 0) as decimal(18, 2)) as received_of_due_cny,
        {{ ratio('attainment.received_of_due_cny', 'attainment.due_cny') }} as payment_attainment,
        {{ ratio('conversion.n_stage_advances', 'conversion.n_stage_exits') }}
        - {{ ratio('attainment.received_of_due_cny', 'attainment.due_cny') }} as deviation,
        cast(coalesce(cash.cash_received_cny, 0) as decimal(18, 2)) as cash_received_cny
    from team_months
    left join conversion
        on
            team_months.period_month = conversion.period_month
            and team_months.team_key = conversion.team_key
    left join attainment
        on
            team_months.period_month = attainment.period_month
            and team_months.team_key = attainment.team_key
    left join cash
        on
            team_months.period_month = cash.period_month
            and team_months.team_key = cash.team_key

)

select * from final
