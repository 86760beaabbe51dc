with nodes as (

    select * from {{ ref('int_nodes') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

),

-- a node is due when the stage is left for another one, and at the latest after AL-3's limit
limited_nodes as (

    select
        *,
        opened_at + to_hours(cast({{ alert_hours('AL-3', local_date('nodes.opened_at')) }} as integer)) as done_until
    from nodes

),

dated_nodes as (

    select
        limited_nodes.*,
        opportunities.region,
        opportunities.team_key,
        least(
            case when limited_nodes.visit_outcome = 'advanced' then limited_nodes.closed_stage_at end,
            limited_nodes.done_until
        ) as due_at
    from limited_nodes
    inner join opportunities on limited_nodes.opportunity_key = opportunities.opportunity_key
    where
        limited_nodes.closed_stage_at is null
        or limited_nodes.visit_outcome = 'advanced'
        or limited_nodes.closed_stage_at >= limited_nodes.done_until

)

select * from dated_nodes
