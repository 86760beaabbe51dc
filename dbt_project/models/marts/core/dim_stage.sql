with stages as (

    select * from {{ ref('ref_stage') }} as versions
    where {{ holds_on('versions', local_date(as_of())) }}

)

select
    pipeline,
    stage,
    stage_name,
    position,
    is_won,
    is_lost,
    is_mandatory,
    spec_id,
    version
from stages
