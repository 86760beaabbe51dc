with published as (

    select * from {{ ref('int_forecast_published') }}
    where origin_no = 0

),

parameters as (

    select * from {{ ref('int_forecast_parameters') }}

),

past_forecasts as (

    select
        *,
        row_number() over (partition by scope_type, scope_id, horizon order by origin_no) as recency
    from {{ ref('int_forecast_published') }}
    where origin_no > 0 and has_total and actual is not null

),

-- how far off (WAPE) each figure was over the past months in which all of them stood
past_errors as (

    select
        scope_type,
        scope_id,
        horizon,
        count(*) as n_months,
        count(*) filter (where pipeline_weight > 0 and simple_value is not null) as n_blends,
        sum(abs(actual) order by recency) as sold,
        sum(abs(published_value - actual) order by recency) / nullif(sold, 0) as published_error,
        sum(abs(pipeline_value - actual) order by recency) / nullif(sold, 0) as pipeline_error,
        sum(abs(mean_3_months - actual) order by recency) / nullif(sold, 0) as mean_3_months_error,
        sum(abs(last_month - actual) order by recency) / nullif(sold, 0) as last_month_error
    from past_forecasts
    where mean_3_months is not null and last_month is not null
    group by scope_type, scope_id, horizon

),

-- no override yet and no active risk event: the effective value is the baseline
valued as (

    select
        published.*,
        parameters.* exclude (shrinkage_k),  -- noqa: RF02
        past_errors.* exclude (scope_type, scope_id, horizon),  -- noqa: RF02
        1.0 as breaker_factor,
        published.published_value * (1 - published.half_width) as raw_lo,
        published.published_value * (1 + published.half_width) as raw_hi
    from published
    cross join parameters
    left join past_errors
        on
            published.scope_type = past_errors.scope_type
            and published.scope_id = past_errors.scope_id
            and published.horizon = past_errors.horizon

),

final as (

    select
        ---------- ids
        '{{ var("run_id", "sql@" ~ var("as_of")) }}' as run_id,
        period_month,
        scope_type,
        scope_id,
        {{ local_date(as_of()) }} as as_of_date,
        horizon,

        ---------- value
        cast(published_value as decimal(18, 2)) as baseline,
        cast(breaker_factor as decimal(9, 4)) as breaker_factor,
        cast(published_value * breaker_factor as decimal(18, 2)) as breaker_value,
        cast(published_value * breaker_factor as decimal(18, 2)) as effective_value,
        cast(case when raw_lo is not null then greatest(raw_lo, value_so_far) end as decimal(18, 2)) as lo80,
        cast(raw_hi as decimal(18, 2)) as hi80,
        case when half_width is not null then 'split_conformal' end as interval_method,

        ---------- how it came about
        case when has_total then 1 else 0 end as level,
        cast(case when has_total then pipeline_value end as decimal(18, 2)) as pipeline_value,
        cast(simple_value as decimal(18, 2)) as simple_value,
        simple_method,
        case when has_total then pipeline_weight end as pipeline_weight,
        months_of_actuals,
        n_won,
        n_lost,
        n_backtest_months,
        skill,
        concat_ws(
            '; ',
            case
                when pipeline_value is null then 'no month of history to learn from, so no total'
                when not has_total
                    then format('{} of {:.0f} months of actuals, so no total', months_of_actuals, min_months_of_actuals)
            end,
            case
                when not has_total then null
                when n_won < min_won or n_lost < min_lost
                    then format(
                        'level 2 needs {:.0f} won and {:.0f} lost deals in {:.0f} months, there are {} and {}',
                        min_won, min_lost, history_months, n_won, n_lost
                    )
                else format('{} won and {} lost deals would carry a level 2 model; this is the level 1 figure', n_won, n_lost)
            end,
            case
                when has_total and pipeline_weight = 0 and n_backtest_months < blend_min_months
                    then format(
                        '{} of {:.0f} backtest months: {} is published and the pipeline figure stands beside it',
                        n_backtest_months, blend_min_months, simple_method
                    )
            end,
            case
                when has_total and skill <= 0
                    then format(
                        'the blend was no better than {} over its last {:.0f} months, so {} is published',
                        simple_method, blend_min_months, simple_method
                    )
            end,
            case
                when has_total and skill is null
                    then format(
                        'skill needs {:.0f} past months in which a blend stood beside the baseline, there are {}',
                        blend_min_months, coalesce(n_blends, 0)
                    )
            end,
            case
                when has_total and published_error is not null
                    then format(
                        'over {} past months the published figure was off by {:.1f} %, the pipeline alone by {:.1f} %,'
                        || ' mean_3_months by {:.1f} %, last_month by {:.1f} %',
                        n_months, 100 * published_error, 100 * pipeline_error, 100 * mean_3_months_error, 100 * last_month_error
                    )
            end,
            case
                when has_total and half_width is null
                    then format('{} of {:.0f} past errors: no interval', n_errors, interval_min_errors)
                when has_total and raw_hi - greatest(raw_lo, 0) > published_value then 'range too wide'
            end,
            case when n_without_amount > 0 then format('{} rows without an amount are left out', n_without_amount) end
        ) as note,

        ---------- evidence
        {{ evidence_ref('fct_forecast', ['period_month', 'scope_type', 'scope_id']) }} as evidence_ref
    from valued

)

select * from final
