with origins as (

    select * from {{ ref('int_forecast_origins') }}

),

deals as (

    select * from {{ ref('int_forecast_deals') }}
    where is_dated

),

parameters as (

    select * from {{ ref('int_forecast_parameters') }}

),

age_buckets as (

    select * from {{ ref('ref_forecast_age_bucket') }}

),

-- recorded history only: a stage derived from where a deal stands today would tell the past which deals stayed open
stage_entries as (

    select
        opportunity_key,
        entered_at,
        max(stage) as stage
    from {{ ref('int_stage_events') }}
    where entered_at <= {{ as_of() }} and not is_derived
    group by opportunity_key, entered_at

),

-- deals closed by the origin say how old a living deal can be
closed_ages as (

    select
        origins.origin_no,
        deals.pipeline,
        {{ days_between('deals.created_at', 'deals.closed_at') }} as age_days
    from origins
    inner join deals on origins.origin_at >= deals.closed_at

),

zombie_ages as (

    select
        closed_ages.origin_no,
        closed_ages.pipeline,
        list(closed_ages.age_days order by closed_ages.age_days)[cast(ceil(parameters.zombie_percentile * count(*)) as bigint)]
            as zombie_age_days
    from closed_ages
    cross join parameters
    group by closed_ages.origin_no, closed_ages.pipeline, parameters.zombie_percentile, parameters.zombie_min_closed
    having count(*) >= parameters.zombie_min_closed

),

-- what a deal without an amount is worth: the mean won by then of its product line, shrunk to its pipeline's
won_by_line as (

    select
        origins.origin_no,
        deals.pipeline,
        deals.product_line,
        count(*) as n_won,
        sum(deals.won_amount_cny) as won_cny
    from origins
    inner join deals on origins.origin_at >= deals.closed_at
    where deals.is_won and deals.won_amount_cny is not null
    group by origins.origin_no, deals.pipeline, deals.product_line

),

won_by_pipeline as (

    select
        origin_no,
        pipeline,
        sum(won_cny) / sum(n_won) as mean_amount
    from won_by_line
    group by origin_no, pipeline

),

open_deals as (

    select
        origins.origin_no,
        origins.origin_month,
        origins.origin_at,
        deals.*,
        {{ days_between('deals.created_at', 'origins.origin_at') }} as age_days
    from origins
    inner join deals
        on
            origins.origin_at >= deals.created_at
            and (deals.closed_at is null or origins.origin_at < deals.closed_at)

),

staged as (

    select
        open_deals.*,
        stage_entries.stage
    from open_deals
    asof left join stage_entries
        on
            open_deals.opportunity_key = stage_entries.opportunity_key
            and open_deals.origin_at >= stage_entries.entered_at

),

final as (

    select
        staged.origin_no,
        staged.opportunity_key,
        staged.rep_key,
        staged.team_key,
        staged.region,
        staged.industry,
        staged.pipeline,
        coalesce(staged.stage, 'unknown') as stage,
        staged.age_days,
        age_buckets.age_bucket,
        zombie_ages.zombie_age_days,
        coalesce(staged.age_days > zombie_ages.zombie_age_days, false) as is_zombie,
        coalesce(
            staged.amount_cny,
            cast(
                (coalesce(won_by_line.won_cny, 0) + parameters.shrinkage_k * won_by_pipeline.mean_amount)
                / (coalesce(won_by_line.n_won, 0) + parameters.shrinkage_k)
                as decimal(18, 2)
            )
        ) as amount_cny,
        coalesce(staged.amount_basis, case when won_by_pipeline.mean_amount is not null then 'mean_won' end) as amount_basis,
        -- the label, not an input: months from the origin to the win; a hazard may count it only once that month is over
        case when staged.is_won then date_diff('month', staged.origin_month, staged.closed_month) end as won_after_months
    from staged
    cross join parameters
    inner join age_buckets on staged.age_days >= age_buckets.from_day and staged.age_days < age_buckets.to_day
    left join zombie_ages
        on
            staged.origin_no = zombie_ages.origin_no
            and staged.pipeline = zombie_ages.pipeline
    left join won_by_pipeline
        on
            staged.origin_no = won_by_pipeline.origin_no
            and staged.pipeline = won_by_pipeline.pipeline
    left join won_by_line
        on
            staged.origin_no = won_by_line.origin_no
            and staged.pipeline = won_by_line.pipeline
            and staged.product_line = won_by_line.product_line

)

select * from final
