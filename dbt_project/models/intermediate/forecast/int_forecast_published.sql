with candidates as (

    select * from {{ ref('int_forecast_candidates') }}

),

parameters as (

    select * from {{ ref('int_forecast_parameters') }}

),

simple_forecasts as (

    select
        origin_no,
        horizon,
        scope_type,
        scope_id,
        actual,
        unnest(['mean_3_months', 'last_month', 'same_month_last_year']) as simple_method,
        unnest([mean_3_months, last_month, same_month_last_year]) as simple_value
    from candidates

),

-- errors known at an origin: of older origins whose own forecast month was over by then
past_simple_errors as (

    select
        candidates.origin_no,
        candidates.horizon,
        candidates.scope_type,
        candidates.scope_id,
        simple_forecasts.simple_method,
        count(*) as n_errors,
        sum(abs(simple_forecasts.simple_value - simple_forecasts.actual) order by simple_forecasts.origin_no) as abs_error
    from candidates
    inner join simple_forecasts
        on
            candidates.scope_type = simple_forecasts.scope_type
            and candidates.scope_id = simple_forecasts.scope_id
            and candidates.horizon = simple_forecasts.horizon
            and simple_forecasts.origin_no > candidates.origin_no + candidates.horizon
    where simple_forecasts.simple_value is not null and simple_forecasts.actual is not null
    group by candidates.origin_no, candidates.horizon, candidates.scope_type, candidates.scope_id, simple_forecasts.simple_method

),

-- the mean of three months until another baseline has as many past errors and smaller ones
best_simple as (

    select
        simple_forecasts.origin_no,
        simple_forecasts.horizon,
        simple_forecasts.scope_type,
        simple_forecasts.scope_id,
        simple_forecasts.simple_method,
        simple_forecasts.simple_value
    from simple_forecasts
    cross join parameters
    left join past_simple_errors
        on
            simple_forecasts.origin_no = past_simple_errors.origin_no
            and simple_forecasts.horizon = past_simple_errors.horizon
            and simple_forecasts.scope_type = past_simple_errors.scope_type
            and simple_forecasts.scope_id = past_simple_errors.scope_id
            and simple_forecasts.simple_method = past_simple_errors.simple_method
    where simple_forecasts.simple_value is not null
    qualify row_number() over (
        partition by
            simple_forecasts.origin_no, simple_forecasts.horizon, simple_forecasts.scope_type, simple_forecasts.scope_id
        order by
            case
                when past_simple_errors.n_errors >= parameters.blend_min_months
                    then past_simple_errors.abs_error / past_simple_errors.n_errors
            end nulls last,
            case simple_forecasts.simple_method when 'mean_3_months' then 1 when 'last_month' then 2 else 3 end
    ) = 1

),

gated as (

    select
        candidates.*,
        best_simple.simple_method,
        best_simple.simple_value,
        candidates.pipeline_value is not null and candidates.months_of_actuals >= parameters.min_months_of_actuals as has_total
    from candidates
    cross join parameters
    left join best_simple
        on
            candidates.origin_no = best_simple.origin_no
            and candidates.horizon = best_simple.horizon
            and candidates.scope_type = best_simple.scope_type
            and candidates.scope_id = best_simple.scope_id

),

past_pairs as (

    select
        gated.origin_no,
        gated.horizon,
        gated.scope_type,
        gated.scope_id,
        count(*) as n_pairs,
        avg(pow(past.pipeline_value - past.actual, 2) order by past.origin_no) as pipeline_mse,
        avg(pow(past.simple_value - past.actual, 2) order by past.origin_no) as simple_mse
    from gated
    inner join gated as past
        on
            gated.scope_type = past.scope_type
            and gated.scope_id = past.scope_id
            and gated.horizon = past.horizon
            and past.origin_no > gated.origin_no + gated.horizon
    where past.has_total and past.actual is not null and past.simple_value is not null
    group by gated.origin_no, gated.horizon, gated.scope_type, gated.scope_id

),

-- inverse squared error, limited; without enough past months the simple baseline alone
weighted as (

    select
        gated.*,
        coalesce(past_pairs.n_pairs, 0) as n_backtest_months,
        case
            when gated.simple_value is null then 1
            when coalesce(past_pairs.n_pairs, 0) < parameters.blend_min_months then 0
            when past_pairs.pipeline_mse + past_pairs.simple_mse = 0 then 0
            else least(past_pairs.simple_mse / (past_pairs.pipeline_mse + past_pairs.simple_mse), parameters.blend_max_weight)
        end as pipeline_weight
    from gated
    cross join parameters
    left join past_pairs
        on
            gated.origin_no = past_pairs.origin_no
            and gated.horizon = past_pairs.horizon
            and gated.scope_type = past_pairs.scope_type
            and gated.scope_id = past_pairs.scope_id

),

-- never below what has already come in
blended as (

    select
        *,
        greatest(
            pipeline_weight * pipeline_value + (1 - pipeline_weight) * coalesce(simple_value, 0),
            value_so_far
        ) as blend_value,
        greatest(simple_value, value_so_far) as baseline_value
    from weighted

),

-- only months in which a blend stood beside the baseline can tell which is better
past_blends as (

    select
        blended.origin_no,
        blended.horizon,
        blended.scope_type,
        blended.scope_id,
        abs(past.actual - past.blend_value) as blend_error,
        abs(past.actual - past.baseline_value) as baseline_error,
        row_number() over (
            partition by blended.origin_no, blended.horizon, blended.scope_type, blended.scope_id
            order by past.origin_no
        ) as recency
    from blended
    inner join blended as past
        on
            blended.scope_type = past.scope_type
            and blended.scope_id = past.scope_id
            and blended.horizon = past.horizon
            and past.origin_no > blended.origin_no + blended.horizon
    where past.has_total and past.pipeline_weight > 0 and past.simple_value is not null and past.actual is not null

),

skills as (

    select
        past_blends.origin_no,
        past_blends.horizon,
        past_blends.scope_type,
        past_blends.scope_id,
        case
            when count(*) >= parameters.blend_min_months
                then
                    1
                    - sum(past_blends.blend_error order by past_blends.recency)
                    / nullif(sum(past_blends.baseline_error order by past_blends.recency), 0)
        end as skill
    from past_blends
    cross join parameters
    where past_blends.recency <= parameters.blend_min_months
    group by
        past_blends.origin_no,
        past_blends.horizon,
        past_blends.scope_type,
        past_blends.scope_id,
        parameters.blend_min_months

),

-- a blend no better than the baseline gives way to it
served as (

    select
        blended.* exclude (pipeline_weight, blend_value, baseline_value),  -- noqa: RF02
        skills.skill,
        case
            when skills.skill <= 0 and blended.simple_value is not null then 0
            else blended.pipeline_weight
        end as pipeline_weight,
        case
            when not blended.has_total then null
            when skills.skill <= 0 and blended.simple_value is not null then blended.baseline_value
            else blended.blend_value
        end as published_value
    from blended
    left join skills
        on
            blended.origin_no = skills.origin_no
            and blended.horizon = skills.horizon
            and blended.scope_type = skills.scope_type
            and blended.scope_id = skills.scope_id

),

past_published as (

    select
        served.origin_no,
        served.horizon,
        served.scope_type,
        served.scope_id,
        abs(past.actual - past.published_value) / nullif(past.published_value, 0) as relative_error,
        row_number() over (
            partition by served.origin_no, served.horizon, served.scope_type, served.scope_id
            order by past.origin_no
        ) as recency
    from served
    inner join served as past
        on
            served.scope_type = past.scope_type
            and served.scope_id = past.scope_id
            and served.horizon = past.horizon
            and past.origin_no > served.origin_no + served.horizon
    where past.published_value is not null and past.actual is not null

),

-- split conformal: the ceil((W + 1) * coverage)-th smallest of the last W relative errors
conformal as (

    select
        past_published.origin_no,
        past_published.horizon,
        past_published.scope_type,
        past_published.scope_id,
        case
            when count(past_published.relative_error) >= parameters.interval_min_errors
                then
                    list(past_published.relative_error order by past_published.relative_error)
                    filter (where past_published.relative_error is not null)[
                        cast(ceil((count(past_published.relative_error) + 1) * parameters.interval_coverage) as bigint)
                    ]
        end as half_width,
        count(past_published.relative_error) as n_errors
    from past_published
    cross join parameters
    where past_published.recency <= parameters.interval_max_errors
    group by
        past_published.origin_no,
        past_published.horizon,
        past_published.scope_type,
        past_published.scope_id,
        parameters.interval_min_errors,
        parameters.interval_coverage

)

select
    served.*,
    conformal.half_width,
    coalesce(conformal.n_errors, 0) as n_errors
from served
left join conformal
    on
        served.origin_no = conformal.origin_no
        and served.horizon = conformal.horizon
        and served.scope_type = conformal.scope_type
        and served.scope_id = conformal.scope_id
