with thresholds as (

    select * from {{ ref('ref_threshold') }}

)

select
    threshold_code,
    measure,
    unit,
    lower_limit,
    upper_limit,
    spec_id,
    note
from thresholds
