with rates as (

    select * from {{ ref('ref_exchange_rate') }}

),

periods as (

    select
        currency,
        valid_from,
        coalesce(
            lead(valid_from) over (partition by currency order by valid_from),
            date '9999-12-31'
        ) as valid_to,
        rate_to_cny
    from rates

)

select * from periods
