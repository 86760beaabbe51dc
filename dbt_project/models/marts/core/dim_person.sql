with golden_persons as (

    select * from {{ source('hub', 'golden_persons') }}

),

persons as (

    select
        person_gid,
        customer_gid,
        full_name,
        mobile,
        email,
        job_title,
        buying_role,
        cast(n_records as bigint) as n_records,
        first_seen_at
    from golden_persons

)

select * from persons
