with orders as (

    select * from {{ ref('int_orders') }}

)

select
    order_key,
    source,
    order_no,
    customer_gid,
    opportunity_key,
    rep_key,
    team_key,
    ordered_date,
    promised_date,
    delivered_date,
    expected_payment_date,
    amount,
    currency,
    amount_cny,
    contract_no,
    record_ref
from orders
