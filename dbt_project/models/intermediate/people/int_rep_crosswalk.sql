with candidates as (

    select * from {{ ref('int_rep_candidates') }}

),

file_refs as (

    select
        source,
        owner_ref as rep_ref
    from {{ ref('stg_files__parties') }}
    union
    select
        source,
        owner_ref as rep_ref
    from {{ ref('stg_files__leads') }}
    union
    select
        source,
        owner_ref as rep_ref
    from {{ ref('stg_files__lead_outcomes') }}
    union
    select
        source,
        owner_ref as rep_ref
    from {{ ref('stg_files__opportunities') }}
    union
    select
        source,
        owner_ref as rep_ref
    from {{ ref('stg_files__activities') }}
    union
    select
        source,
        owner_ref as rep_ref
    from {{ ref('stg_files__orders') }}

),

own_refs as (

    select
        source,
        rep_ref,
        rep_key
    from candidates

),

unresolved_refs as (

    select file_refs.*
    from file_refs
    left join own_refs
        on
            file_refs.source = own_refs.source
            and file_refs.rep_ref = own_refs.rep_ref
    where file_refs.rep_ref is not null and own_refs.rep_key is null

),

emails as (

    select
        identity,
        min(rep_key) as rep_key
    from candidates
    group by identity

),

-- a name resolves only where one rep bears it
source_names as (

    select
        source,
        full_name,
        min(rep_key) as rep_key
    from candidates
    group by source, full_name
    having count(distinct rep_key) = 1

),

names as (

    select
        full_name,
        min(rep_key) as rep_key
    from candidates
    group by full_name
    having count(distinct rep_key) = 1

),

resolved_refs as (

    select
        unresolved_refs.source,
        unresolved_refs.rep_ref,
        coalesce(
            emails.rep_key,
            source_names.rep_key,
            names.rep_key,
            unresolved_refs.source || ':' || unresolved_refs.rep_ref
        ) as rep_key
    from unresolved_refs
    left join emails on lower(trim(unresolved_refs.rep_ref)) = emails.identity
    left join source_names
        on
            unresolved_refs.source = source_names.source
            and unresolved_refs.rep_ref = source_names.full_name
    left join names on unresolved_refs.rep_ref = names.full_name

)

select * from own_refs
union all
select * from resolved_refs
