with visits as (

    select * from {{ ref('fct_stage_visit') }}

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
        avg(dwell_hours) filter (where is_open) as mean_open_hours
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
        mean_open_hours
    from cube_cells

)

select * from rated
