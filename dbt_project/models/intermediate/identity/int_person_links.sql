{{ current_links('person_crosswalk', 'person_gid', 'person') }}
