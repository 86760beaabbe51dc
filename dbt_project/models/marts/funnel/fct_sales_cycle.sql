with opportunities as (

    select * from {{ ref('fct_opportunity') }}

),

won_deals as (

    select
        pipeline,
        coalesce(region, '(unknown)') as region,
        {{ local_month('signed_at') }} as closed_month,
        cycle_days
    from opportunities
    where is_won and signed_at is not null

),

monthly as (

    select
        closed_month,
        case when grouping(pipeline) = 0 then pipeline else 'all' end as pipeline,
        case when grouping(region) = 0 then region else 'all' end as region,
        count(*) as n_won,
        sum(cycle_days) as total_cycle_days,
        avg(cycle_days) as mean_cycle_days,
        median(cycle_days) as median_cycle_days
    from won_deals
    group by grouping sets (
        (closed_month),
        (closed_month, pipeline),
        (closed_month, region),
        (closed_month, pipeline, region)
    )

),

compared as (

    select
        monthly.*,
        {{ ratio('monthly.mean_cycle_days', 'year_before.mean_cycle_days') }} - 1 as change_to_year_before,
        {{ threshold('FU-6.yoy', 'upper_limit', 'monthly.closed_month') }} as target_change
    from monthly
    left join monthly as year_before
        on
            monthly.pipeline = year_before.pipeline
            and monthly.region = year_before.region
            and monthly.closed_month - interval 1 year = year_before.closed_month

),

final as (

    select
        closed_month,
        pipeline,
        region,
        n_won,
        total_cycle_days,
        mean_cycle_days,
        median_cycle_days,
        change_to_year_before,
        target_change,
        change_to_year_before <= target_change as is_on_target,
        {{ evidence_ref('fct_sales_cycle', ['closed_month', 'pipeline', 'region']) }} as evidence_ref
    from compared

)

select * from final
