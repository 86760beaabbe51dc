with exceptions as (

    select * from {{ ref('ref_calendar_exception') }}

),

days as (

    select cast(generate_series as date) as calendar_date
    from generate_series(
        cast('{{ var("calendar_from") }}' as timestamp),
        cast(
            greatest(
                (select max(date_trunc('year', exceptions.calendar_date)) from exceptions),
                date_trunc('year', {{ local_date(as_of()) }})
            ) as timestamp
        ) + interval 1 year - interval 1 day,
        interval 1 day
    )

),

covered_years as (

    select
        year(calendar_date) as calendar_year,
        min(source_version) as source_version
    from exceptions
    group by year(calendar_date)

),

classified as (

    select
        days.calendar_date,
        coalesce(exceptions.is_workday, isodow(days.calendar_date) <= 5) as is_workday,
        case
            when exceptions.is_workday then 'make_up_workday'
            when not exceptions.is_workday then 'holiday'
            when isodow(days.calendar_date) <= 5 then 'workday'
            else 'weekend'
        end as day_kind,
        exceptions.holiday_name,
        coalesce(covered_years.source_version, 'Monday to Friday') as source_version
    from days
    left join exceptions on days.calendar_date = exceptions.calendar_date
    left join covered_years on year(days.calendar_date) = covered_years.calendar_year

),

numbered as (

    select
        calendar_date,
        is_workday,
        day_kind,
        holiday_name,
        cast(sum(cast(is_workday as integer)) over (order by calendar_date) as bigint) as workday_no,
        source_version
    from classified

)

select * from numbered
