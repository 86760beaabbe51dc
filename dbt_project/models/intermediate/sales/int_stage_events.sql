with opportunities as (

    select * from {{ ref('int_opportunities') }}

),

history as (

    select * from {{ ref('stg_hubspot__deal_stage_history') }}

),

deals as (

    select * from {{ ref('stg_hubspot__deals') }}

),

file_opportunities as (

    select * from {{ ref('stg_files__opportunities') }}

),

stage_map as (

    select * from {{ ref('ref_stage_map') }}

),

stages as (

    select * from {{ ref('ref_stage') }}

),

recorded_events as (

    select
        opportunities.opportunity_key,
        coalesce(stage_map.stage, history.raw_stage) as stage,
        history.entered_at,
        false as is_derived,
        history.record_ref
    from history
    inner join deals on history.deal_id = deals.deal_id
    inner join opportunities on 'hubspot:' || history.deal_id = opportunities.opportunity_key
    left join stage_map
        on
            stage_map.source = 'hubspot'
            and deals.raw_pipeline = stage_map.raw_pipeline
            and history.raw_stage = stage_map.raw_stage

),

without_history as (

    select
        opportunities.opportunity_key,
        opportunities.pipeline,
        opportunities.stage,
        opportunities.is_closed,
        opportunities.created_at,
        opportunities.record_ref,
        file_opportunities.stage_entered_at
    from opportunities
    left join recorded_events on opportunities.opportunity_key = recorded_events.opportunity_key
    left join file_opportunities
        on
            opportunities.source = file_opportunities.source
            and opportunities.opportunity_id = file_opportunities.opportunity_id
    where recorded_events.opportunity_key is null

),

-- an opportunity without history began in the first stage, unless it is known to have begun in the one it is in
derived_first_events as (

    select
        without_history.opportunity_key,
        stages.stage,
        without_history.created_at as entered_at,
        true as is_derived,
        without_history.record_ref
    from without_history
    inner join stages
        on
            without_history.pipeline = stages.pipeline
            and stages.position = 1
            and {{ holds_on('stages', local_date('without_history.created_at')) }}
    where
        without_history.created_at is not null
        and (
            without_history.is_closed
            or without_history.stage = stages.stage
            or without_history.stage_entered_at > without_history.created_at
        )

),

derived_current_events as (

    select
        without_history.opportunity_key,
        without_history.stage,
        coalesce(without_history.stage_entered_at, without_history.created_at) as entered_at,
        true as is_derived,
        without_history.record_ref
    from without_history
    inner join stages
        on
            without_history.pipeline = stages.pipeline
            and without_history.stage = stages.stage
            and {{ holds_on('stages', local_date('coalesce(without_history.stage_entered_at, without_history.created_at)')) }}
    where
        not without_history.is_closed
        and stages.position > 1
        and coalesce(without_history.stage_entered_at, without_history.created_at) is not null

),

-- every closed opportunity has the event of its closing stage
derived_closing_events as (

    select
        opportunities.opportunity_key,
        opportunities.stage,
        opportunities.closed_at as entered_at,
        true as is_derived,
        opportunities.record_ref
    from opportunities
    left join recorded_events
        on
            opportunities.opportunity_key = recorded_events.opportunity_key
            and opportunities.stage = recorded_events.stage
    where
        opportunities.is_closed
        and opportunities.closed_at is not null
        and recorded_events.opportunity_key is null

)

select * from recorded_events
union all
select * from derived_first_events
union all
select * from derived_current_events
union all
select * from derived_closing_events
