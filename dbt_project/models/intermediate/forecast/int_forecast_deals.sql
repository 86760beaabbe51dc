with opportunities as (

    select * from {{ ref('int_opportunities') }}

),

stage_events as (

    select * from {{ ref('int_stage_events') }}
    where entered_at <= {{ as_of() }}

),

event_times as (

    select
        opportunity_key,
        min(entered_at) as first_entered_at,
        max(entered_at) filter (where stage in ('signed', 'contract_signed', 'lost')) as last_closed_at
    from stage_events
    group by opportunity_key

),

dated as (

    select
        opportunities.opportunity_key,
        coalesce(opportunities.rep_key, 'unassigned') as rep_key,
        coalesce(opportunities.team_key, 'unassigned') as team_key,
        coalesce(opportunities.region, 'unassigned') as region,
        coalesce(opportunities.industry, 'unknown') as industry,
        coalesce(opportunities.pipeline, 'unknown') as pipeline,
        coalesce(opportunities.product_line, 'unknown') as product_line,
        coalesce(opportunities.created_at, event_times.first_entered_at) as created_at,
        case when opportunities.is_closed then coalesce(opportunities.closed_at, event_times.last_closed_at) end as closed_at,
        coalesce(opportunities.is_closed, false) as is_closed,
        coalesce(opportunities.is_won, false) as is_won,
        opportunities.amount_cny,
        opportunities.standard_amount_cny,
        opportunities.record_ref
    from opportunities
    left join event_times on opportunities.opportunity_key = event_times.opportunity_key

),

-- a deal closed after as_of was still open then
known_at_as_of as (

    select
        * replace (
            case when closed_at <= {{ as_of() }} then closed_at end as closed_at,
            is_closed and coalesce(closed_at <= {{ as_of() }}, true) as is_closed,
            is_won and coalesce(closed_at <= {{ as_of() }}, true) as is_won
        )
    from dated
    where created_at is null or created_at <= {{ as_of() }}

),

final as (

    select
        opportunity_key,
        rep_key,
        team_key,
        region,
        industry,
        pipeline,
        product_line,
        created_at,
        closed_at,
        {{ local_month('closed_at') }} as closed_month,
        is_closed,
        is_won,
        amount_cny as won_amount_cny,
        -- an open deal without an amount counts with its list price, where there is one
        coalesce(amount_cny, standard_amount_cny) as amount_cny,
        case
            when amount_cny is not null then 'deal'
            when standard_amount_cny is not null then 'list_price'
        end as amount_basis,
        created_at is not null and (not is_closed or closed_at is not null) as is_dated,
        record_ref
    from known_at_as_of

)

select * from final
