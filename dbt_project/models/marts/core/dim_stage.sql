with stages as (

    select * from {{ ref('ref_stage') }}

)

select
    pipeline,
    stage,
    stage_name,
    position,
    is_won,
    is_lost,
    is_mandatory,
    spec_id
from stages
