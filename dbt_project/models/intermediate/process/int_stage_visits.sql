with stage_events as (

    select * from {{ ref('int_stage_events') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

),

stages as (

    select * from {{ ref('ref_stage') }}

),

ordered_events as (

    select
        stage_events.*,
        opportunities.pipeline,
        stages.position,
        stages.is_won,
        stages.is_lost,
        lag(stage_events.stage) over (
            partition by stage_events.opportunity_key
            order by stage_events.entered_at, stages.position
        ) as previous_stage
    from stage_events
    inner join opportunities on stage_events.opportunity_key = opportunities.opportunity_key
    left join stages
        on
            opportunities.pipeline = stages.pipeline
            and stage_events.stage = stages.stage
            and {{ holds_on('stages', local_date('stage_events.entered_at')) }}

),

-- the same stage twice in a row is one visit
changes as (

    select
        *,
        lead(entered_at) over (partition by opportunity_key order by entered_at, position) as next_entered_at,
        lead(stage) over (partition by opportunity_key order by entered_at, position) as next_stage,
        lead(position) over (partition by opportunity_key order by entered_at, position) as next_position,
        lead(is_lost) over (partition by opportunity_key order by entered_at, position) as is_next_lost
    from ordered_events
    where previous_stage is null or previous_stage != stage

),

visits as (

    select
        opportunity_key,
        row_number() over (partition by opportunity_key order by entered_at, position) as visit_no,
        pipeline,
        stage,
        position,
        entered_at,
        case when is_won and next_entered_at is null then entered_at else next_entered_at end as exited_at,
        next_stage,
        case
            when is_next_lost then 'lost'
            when next_position > position then 'advanced'
            when next_stage is not null then 'returned'
            when is_won then 'won'
            else 'open'
        end as outcome,
        is_derived,
        record_ref
    from changes
    where not coalesce(is_lost, false)

)

select * from visits
