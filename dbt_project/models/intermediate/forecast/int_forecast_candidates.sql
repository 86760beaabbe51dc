with components as (

    select * from {{ ref('int_forecast_components') }}

),

actuals as (

    select * from {{ ref('int_forecast_actuals') }}

),

deals as (

    select * from {{ ref('int_forecast_deals') }}

),

parameters as (

    select * from {{ ref('int_forecast_parameters') }}

),

-- what came in the running month after each past origin; all origins stand as far before the end of their month
remainders as (

    select
        sums.origin_no,
        sums.scope_type,
        sums.scope_id,
        actuals.actual - sums.value_so_far as remainder
    from (
        select
            origin_no,
            period_month,
            scope_type,
            scope_id,
            sum(value_so_far) as value_so_far
        from components
        where horizon = 0
        group by all
    ) as sums
    inner join actuals
        on
            sums.scope_type = actuals.scope_type
            and sums.scope_id = actuals.scope_id
            and sums.period_month = actuals.period_month

),

forecast_scopes as (

    select distinct
        origin_no,
        scope_type,
        scope_id
    from components

),

remainder_means as (

    select
        forecast_scopes.origin_no,
        forecast_scopes.scope_type,
        forecast_scopes.scope_id,
        max(remainders.remainder) filter (where remainders.origin_no = forecast_scopes.origin_no + 1) as last_remainder,
        sum(remainders.remainder) / count(*) as mean_remainder
    from forecast_scopes
    inner join remainders
        on
            forecast_scopes.scope_type = remainders.scope_type
            and forecast_scopes.scope_id = remainders.scope_id
            and forecast_scopes.origin_no < remainders.origin_no
            and remainders.origin_no <= forecast_scopes.origin_no + 3
    group by forecast_scopes.origin_no, forecast_scopes.scope_type, forecast_scopes.scope_id

),

learned as (

    select distinct
        origin_no,
        horizon
    from {{ ref('int_forecast_hazards') }}

),

pipeline_sums as (

    select
        components.origin_no,
        components.origin_month,
        components.origin_at,
        components.horizon,
        components.period_month,
        components.scope_type,
        components.scope_id,
        sum(components.value) as component_sum,
        sum(components.value_so_far) as value_so_far,
        sum(components.n_without_amount) as n_without_amount
    from components
    group by all

),

scope_starts as (

    select distinct
        scope_type,
        scope_id,
        first_month
    from actuals

),

gate_outcomes as (

    select
        origins.origin_no,
        scopes.scope_type,
        scopes.scope_id,
        count(*) filter (where deals.is_won) as n_won,
        count(*) filter (where not deals.is_won) as n_lost
    from {{ ref('int_forecast_origins') }} as origins
    cross join parameters
    inner join deals
        on
            origins.origin_at >= deals.closed_at
            and deals.closed_at > origins.origin_at - to_months(cast(parameters.history_months as integer))
            and {{ days_between('deals.created_at', 'deals.closed_at') }} >= parameters.min_lifespan_days
    cross join
        lateral (
            values ('company', 'company'), ('region', deals.region), ('team', deals.team_key), ('rep', deals.rep_key)
        ) as scopes (scope_type, scope_id)
    where origins.origin_no <= parameters.backtest_months
    group by origins.origin_no, scopes.scope_type, scopes.scope_id

),

recent_actuals as (

    select
        origins.origin_no,
        actuals.scope_type,
        actuals.scope_id,
        max(actuals.actual) filter (where actuals.period_month = origins.origin_month - interval 1 month) as last_month,
        sum(actuals.actual) / count(*) as mean_3_months
    from {{ ref('int_forecast_origins') }} as origins
    inner join actuals
        on
            origins.origin_month > actuals.period_month
            and actuals.period_month >= origins.origin_month - interval 3 month
    group by origins.origin_no, actuals.scope_type, actuals.scope_id

),

final as (

    select
        pipeline_sums.*,
        case when learned.origin_no is not null then pipeline_sums.component_sum end as pipeline_value,
        case
            when pipeline_sums.horizon = 0 then pipeline_sums.value_so_far + remainder_means.last_remainder
            else recent_actuals.last_month
        end as last_month,
        case
            when pipeline_sums.horizon = 0 then pipeline_sums.value_so_far + remainder_means.mean_remainder
            else recent_actuals.mean_3_months
        end as mean_3_months,
        case when pipeline_sums.horizon > 0 then same_month.actual end as same_month_last_year,
        outcome.actual,
        coalesce(date_diff('month', scope_starts.first_month, pipeline_sums.origin_month), 0) as months_of_actuals,
        coalesce(gate_outcomes.n_won, 0) as n_won,
        coalesce(gate_outcomes.n_lost, 0) as n_lost
    from pipeline_sums
    cross join parameters
    left join learned
        on
            pipeline_sums.origin_no = learned.origin_no
            and pipeline_sums.horizon = learned.horizon
    left join scope_starts
        on
            pipeline_sums.scope_type = scope_starts.scope_type
            and pipeline_sums.scope_id = scope_starts.scope_id
    left join recent_actuals
        on
            pipeline_sums.origin_no = recent_actuals.origin_no
            and pipeline_sums.scope_type = recent_actuals.scope_type
            and pipeline_sums.scope_id = recent_actuals.scope_id
    left join remainder_means
        on
            pipeline_sums.origin_no = remainder_means.origin_no
            and pipeline_sums.scope_type = remainder_means.scope_type
            and pipeline_sums.scope_id = remainder_means.scope_id
    left join gate_outcomes
        on
            pipeline_sums.origin_no = gate_outcomes.origin_no
            and pipeline_sums.scope_type = gate_outcomes.scope_type
            and pipeline_sums.scope_id = gate_outcomes.scope_id
    left join actuals as same_month
        on
            pipeline_sums.scope_type = same_month.scope_type
            and pipeline_sums.scope_id = same_month.scope_id
            and pipeline_sums.period_month - interval 12 month = same_month.period_month
            and pipeline_sums.origin_month > same_month.period_month
    left join actuals as outcome
        on
            pipeline_sums.scope_type = outcome.scope_type
            and pipeline_sums.scope_id = outcome.scope_id
            and pipeline_sums.period_month = outcome.period_month
    where pipeline_sums.origin_no <= parameters.backtest_months

)

select * from final
