with deals as (

    select * from {{ ref('int_forecast_deals') }}
    where is_won and closed_month is not null

),

orders as (

    select * from {{ ref('int_forecast_orders') }}

)

select
    opportunity_key,
    null as order_key,
    rep_key,
    team_key,
    region,
    closed_month as sale_month,
    closed_at,
    null as ordered_date,
    won_amount_cny as amount_cny,
    record_ref
from deals
union all
select
    null as opportunity_key,
    order_key,
    rep_key,
    team_key,
    region,
    ordered_month as sale_month,
    null as closed_at,
    ordered_date,
    amount_cny,
    record_ref
from orders
