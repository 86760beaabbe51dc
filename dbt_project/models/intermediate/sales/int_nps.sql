with responses as (

    select * from {{ ref('stg_files__nps_responses') }}

),

parties as (

    select * from {{ ref('int_parties_unioned') }}

),

persons as (

    select * from {{ ref('int_persons_unioned') }}

),

links as (

    select * from {{ ref('int_customer_links') }}

),

owners as (

    select * from {{ ref('int_customer_owners') }}

),

linked_mobiles as (

    select
        right(regexp_replace(parties.mobile, '\D', '', 'g'), 11) as mobile,
        links.customer_gid
    from parties
    inner join links
        on
            parties.source = links.source
            and parties.source_key = links.source_key

    union all

    select
        right(regexp_replace(persons.mobile, '\D', '', 'g'), 11) as mobile,
        links.customer_gid
    from persons
    inner join links
        on
            persons.source = links.source
            and persons.party_source_key = links.source_key

),

-- a mobile or a name identifies the customer only where it belongs to one
mobiles as (

    select
        mobile,
        min(customer_gid) as customer_gid
    from linked_mobiles
    where length(mobile) = 11
    group by mobile
    having count(distinct customer_gid) = 1

),

names as (

    select
        lower(trim(parties.company_name)) as company_name,
        min(links.customer_gid) as customer_gid
    from parties
    inner join links
        on
            parties.source = links.source
            and parties.source_key = links.source_key
    where parties.company_name is not null
    group by lower(trim(parties.company_name))
    having count(distinct links.customer_gid) = 1

),

matched as (

    select
        responses.*,
        coalesce(links.customer_gid, mobiles.customer_gid, names.customer_gid) as customer_gid
    from responses
    left join links
        on
            responses.source = links.source
            and responses.party_id = links.source_key
    left join mobiles on right(regexp_replace(responses.mobile, '\D', '', 'g'), 11) = mobiles.mobile
    left join names on lower(trim(responses.company_name)) = names.company_name

),

resolved as (

    select
        matched.source || ':' || matched.response_id as response_key,
        matched.customer_gid,
        owners.rep_key,
        matched.score,
        matched.comment,
        matched.responded_at,
        matched.record_ref
    from matched
    left join owners on matched.customer_gid = owners.customer_gid

)

select * from resolved
