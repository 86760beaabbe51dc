with current_values as (

    select * from {{ ref('ref_forecast_parameter') }}
    where valid_from <= {{ local_date(as_of()) }} and (valid_to is null or valid_to > {{ local_date(as_of()) }})

)

select
    {%- for parameter in [
        'shrinkage_k', 'history_months', 'backtest_months', 'max_horizon', 'min_months_of_actuals', 'min_won', 'min_lost',
        'min_lifespan_days', 'zombie_percentile', 'zombie_min_closed', 'new_deal_months', 'min_order_link_share',
        'blend_min_months', 'blend_max_weight', 'interval_min_errors', 'interval_max_errors', 'interval_coverage',
    ] %}
        max(parameter_value) filter (where parameter = '{{ parameter }}') as {{ parameter }}{{ "," if not loop.last }}
{%- endfor %}
from current_values
