with plan as (

    select * from {{ ref('fct_receipt_plan') }}

),

receipts as (

    select * from {{ ref('fct_receipt') }}
    where received_date <= {{ local_date(as_of()) }}

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
attainment as (

    select
        cast(date_trunc('month', due_date) as date) as period_month,
        coalesce(team_key, 'unassigned') as team_key,
        count(*) as n_due,
        sum(due_amount_cny) as due_cny,
        sum(greatest(least(received_in_due_month_cny, due_amount_cny), 0)) as received_of_due_cny
    from plan
    where due_date <= {{ local_date(as_of()) }} and due_amount_cny > 0
    group by cast(date_trunc('month', due_date) as date), coalesce(team_key, 'unassigned')

),

cash as (

    select
        cast(date_trunc('month', received_date) as date) as period_month,
        coalesce(team_key, 'unassigned') as team_key,
        sum(amount_cny) as cash_received_cny
    from receipts
    group by cast(date_trunc('month', received_date) as date), coalesce(team_key, 'unassigned')

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
        cast(coalesce(cash.cash_received_cny, 0) as decimal(18, 2)) as cash_received_cny,

        ---------- evidence
        {{ local_date(as_of()) }} as as_of_date,
        {{ evidence_ref('fct_payment_attainment', ['team_months.period_month', 'team_months.team_key']) }} as evidence_ref
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
