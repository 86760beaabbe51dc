with visits as (

    select * from {{ ref('fct_stage_visit') }}

),

benchmarks as (

    select * from {{ ref('ref_stage_benchmark') }} as versions
    where {{ holds_on('versions', local_date(as_of())) }}

),

-- the won stage has no visit that could be lost or converted
known_visits as (

    select
        pipeline,
        stage,
        stage_position,
        coalesce(region, '(unknown)') as region,
        coalesce(product_line, '(unknown)') as product_line,
        coalesce(rep_key, '(unknown)') as rep_key,
        outcome,
        is_open,
        is_ended,
        dwell_hours
    from visits
    where outcome != 'won'

),

cube_cells as (

    select
        pipeline,
        stage,
        min(stage_position) as stage_position,
        case when grouping(region) = 0 then region else 'all' end as region,
        case when grouping(product_line) = 0 then product_line else 'all' end as product_line,
        case when grouping(rep_key) = 0 then rep_key else 'all' end as rep_key,
        count(*) as n_visits,
        count(*) filter (where is_open) as n_open,
        count(*) filter (where is_ended) as n_ended,
        count(*) filter (where outcome = 'advanced') as n_advanced,
        count(*) filter (where outcome = 'returned') as n_returned,
        count(*) filter (where outcome = 'lost') as n_lost,
        avg(dwell_hours) filter (where is_ended) as mean_dwell_hours,
        median(dwell_hours) filter (where is_ended) as median_dwell_hours,
        avg(dwell_hours) filter (where is_open) as mean_open_hours,
        median(dwell_hours) filter (where is_open) as median_open_hours
    from known_visits
    group by grouping sets (
        (pipeline, stage),
        (pipeline, stage, region),
        (pipeline, stage, product_line),
        (pipeline, stage, rep_key),
        (pipeline, stage, region, product_line),
        (pipeline, stage, region, rep_key),
        (pipeline, stage, product_line, rep_key),
        (pipeline, stage, region, product_line, rep_key)
    )

),

rated as (

    select
        pipeline,
        stage,
        stage_position,
        region,
        product_line,
        rep_key,
        n_visits,
        n_open,
        n_ended,
        n_advanced,
        n_returned,
        n_lost,
        {{ ratio('n_lost', 'n_ended') }} as loss_ratio,
        {{ ratio('n_advanced', 'n_ended') }} as conversion_ratio,
        mean_dwell_hours,
        median_dwell_hours,
        mean_open_hours,
        median_open_hours
    from cube_cells

),

compared as (

    select
        rated.*,
        benchmarks.benchmark_ratio,
        rated.conversion_ratio - benchmarks.benchmark_ratio as gap_to_benchmark
    from rated
    left join benchmarks
        on
            rated.pipeline = benchmarks.pipeline
            and rated.stage = benchmarks.stage

),

-- FU-3: of the stages of a cell's funnel the one furthest below its benchmark, or the least above
final as (

    select
        *,
        {{ evidence_ref('fct_stage_funnel', ['pipeline', 'stage', 'region', 'product_line', 'rep_key']) }} as evidence_ref,
        case
            when gap_to_benchmark is not null
                then gap_to_benchmark = min(gap_to_benchmark) over (partition by pipeline, region, product_line, rep_key)
        end as is_bottleneck
    from compared

)

select * from final
