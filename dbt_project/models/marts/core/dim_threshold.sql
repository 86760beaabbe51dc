with thresholds as (

    select * from {{ ref('ref_threshold') }} as versions
    where {{ holds_on('versions', local_date(as_of())) }}

)

select
    threshold_code,
    measure,
    unit,
    lower_limit,
    upper_limit,
    spec_id,
    note,
    version
from thresholds
