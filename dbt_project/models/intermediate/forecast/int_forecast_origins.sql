with clock as (

    select
        timezone('Asia/Shanghai', {{ as_of() }}) as as_of_local,
        date_trunc('month', timezone('Asia/Shanghai', {{ as_of() }})) as as_of_month

),

first_deal as (

    select {{ local_month('min(created_at)') }} as first_month
    from {{ ref('int_forecast_deals') }}

),

parameters as (

    select * from {{ ref('int_forecast_parameters') }}

),

months as (

    select
        unnest(generate_series(0, cast(parameters.history_months + parameters.backtest_months as bigint))) as origin_no,
        clock.*
    from clock
    cross join parameters

),

-- each origin stands as far before the end of its month as as_of does, never before the month's start
aligned as (

    select
        origin_no,
        cast(as_of_month - to_months(cast(origin_no as integer)) as date) as origin_month,
        greatest(
            as_of_month - to_months(cast(origin_no as integer)),
            as_of_month - to_months(cast(origin_no as integer) - 1) - (as_of_month + interval 1 month - as_of_local)
        ) as origin_local
    from months

),

final as (

    select
        aligned.origin_no,
        aligned.origin_month,
        timezone('Asia/Shanghai', aligned.origin_local) as origin_at,
        cast(aligned.origin_local as date) as origin_date
    from aligned
    cross join first_deal
    where aligned.origin_month >= first_deal.first_month or aligned.origin_no = 0

)

select * from final
