"""A small made-up extract of the Standard Safeguarding Dataset, with the traps that real ones have; nobody in it is real."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from compliance.sources.ssd_mapping import mapping

Rows = Mapping[str, list[dict[str, object]]]

MIDNIGHT = " 00:00:00"

EXTRACT: Rows = {
    "ssd_person": [
        {
            "pers_person_id": "1",
            "pers_upn": "A1",
            "pers_forename": "Secret",
            "pers_surname": "Name",
            "pers_sex": "Female",
            "pers_ethnicity": "WBRI - White British",
            "pers_dob": "2010-03-12 00:00:00",
            "pers_expected_dob": "1900-01-01 00:00:00",
        },
        {"pers_person_id": "2", "pers_upn": "NULL", "pers_sex": "1", "pers_ethnicity": "White Irish", "pers_dob": "12/03/2011"},
        {"pers_person_id": "3", "pers_sex": "U", "pers_dob": "2005-01-31 00:00:00.000"},
        {"pers_person_id": "3", "pers_sex": "U", "pers_dob": "2005-01-31 00:00:00.000"},
        {"pers_person_id": "SSD_PH", "pers_sex": "F", "pers_dob": "1900-01-01"},
    ],
    "ssd_disability": [
        {"disa_table_id": "d1", "disa_person_id": "1", "disa_disability_code": "NONE"},
        {"disa_table_id": "d2", "disa_person_id": "2", "disa_disability_code": "NONE"},
        {"disa_table_id": "d3", "disa_person_id": "2", "disa_disability_code": "MOB"},
    ],
    "ssd_family": [{"fami_table_id": "f1", "fami_family_id": "F7", "fami_person_id": "1"}],
    "ssd_immigration_status": [
        {
            "immi_immigration_status_id": "i1",
            "immi_person_id": "3",
            "immi_immigration_status": "Unaccompanied asylum seeking child",
        }
    ],
    "ssd_professionals": [
        {
            "prof_professional_id": "P1",
            "prof_staff_id": "S1",
            "prof_professional_name": "Ada Worker",
            "prof_social_worker_registration_no": "SW1",
            "prof_professional_job_title": "Newly Qualified Social Worker",
            "prof_professional_department": "Assessment",
            "prof_full_time_equivalency": 0.5,
        },
        {
            "prof_professional_id": "P2",
            "prof_staff_id": "S2",
            "prof_professional_name": "Bo Adviser",
            "prof_professional_job_title": "Personal Adviser",
        },
        {"prof_professional_id": "P3", "prof_professional_name": "Bo Adviser", "prof_professional_job_title": "Gardener"},
    ],
    "ssd_department": [{"dept_team_id": "T1", "dept_team_name": "Assessment", "dept_team_parent_id": "-1"}],
    "ssd_cin_episodes": [
        {
            "cine_referral_id": "R1",
            "cine_person_id": "1",
            "cine_referral_date": "2020-01-06 00:00:00",
            "cine_cin_primary_need_code": "N1",
            "cine_referral_source_code": "Police",
            "cine_referral_nfa": "N",
            "cine_referral_worker_id": "Ada Worker",
            "cine_referral_team": "T1",
            "cine_referral_outcome_json": '{"SINGLE_ASSESSMENT_FLAG": "Y", "NFA_FLAG": "N", "COMMENTS": "said "no" and\nle',
        },
        {
            "cine_referral_id": "R2",
            "cine_person_id": "2",
            "cine_referral_date": "07/01/2020",
            "cine_cin_primary_need_code": "N1 - abuse",
            "cine_referral_source_code": "1A",
            "cine_referral_nfa": "Y",
            "cine_close_reason": "RC8",
            "cine_close_date": "2020-01-08 00:00:00",
            "cine_referral_outcome_json": "not json",
            "cine_referral_worker_id": "Bo Adviser",
        },
        {"cine_referral_id": "R3", "cine_person_id": "3", "cine_referral_date": "31/31/2020"},
    ],
    "ssd_cin_assessments": [
        {
            "cina_assessment_id": "A1",
            "cina_person_id": "1",
            "cina_referral_id": "-1",
            "cina_assessment_start_date": "2020-01-06 00:00:00",
            "cina_assessment_outcome_nfa": "N",
            "cina_assessment_child_seen": "Y",
        }
    ],
    "ssd_cin_visits": [
        {"cinv_cin_visit_id": "V1", "cinv_person_id": "1", "cinv_cin_visit_date": "2020-02-03 10:15:00"},
        {"cinv_cin_visit_id": "V2", "cinv_person_id": "1", "cinv_cin_visit_date": "2020-02-10 10:15:00"},
    ],
    "ssd_cp_visits": [
        {
            "cppv_cp_visit_id": "W1",
            "cppv_person_id": "1",
            "cppv_cp_visit_date": "10/02/2020",
            "cppv_cp_visit_seen": "Y",
            "cppv_cp_visit_seen_alone": "NA",
        }
    ],
    "ssd_s47_enquiry": [
        {"s47e_s47_enquiry_id": "S1", "s47e_person_id": "1", "s47e_s47_start_date": "2020-01-20 00:00:00", "s47e_s47_nfa": "N"}
    ],
    "ssd_initial_cp_conference": [
        {
            "icpc_icpc_id": "I1",
            "icpc_person_id": "1",
            "icpc_icpc_date": "2020-02-01 00:00:00",
            "icpc_icpc_transfer_in": "NULL",
            "icpc_icpc_outcome_cp_flag": "Y",
            "icpc_s47_enquiry_id": "S1",
        },
        {"icpc_icpc_id": "I2", "icpc_person_id": "2", "icpc_icpc_date": "2020-02-01 00:00:00", "icpc_icpc_transfer_in": "Y"},
    ],
    "ssd_cp_reviews": [
        {
            "cppr_cp_review_id": "CR1",
            "cppr_person_id": "1",
            "cppr_cp_review_date": "2020-04-30 00:00:00",
            "cppr_cp_review_outcome_continue_cp": "N",
            "cppr_cp_review_quorate": "Yes",
        }
    ],
    "ssd_cp_plans": [
        {
            "cppl_cp_plan_id": "C1",
            "cppl_person_id": "1",
            "cppl_icpc_id": "-1",
            "cppl_cp_plan_start_date": "2020-02-01 00:00:00",
            "cppl_cp_plan_initial_category": "Multiple: neglect, physical",
            "cppl_cp_plan_latest_category": "Physical abuse",
        }
    ],
    "ssd_cla_episodes": [
        {
            "clae_cla_episode_id": "E1",
            "clae_person_id": "2",
            "clae_cla_id": "L1",
            "clae_cla_placement_id": "PL1",
            "clae_cla_episode_start_date": "2020-03-01 00:00:00",
            "clae_cla_episode_start_reason": "S",
            "clae_cla_episode_ceased_date": "2020-05-01 00:00:00",
            "clae_cla_episode_ceased_reason": "X1",
            "clae_entered_care_date": "2020-03-01 00:00:00",
        },
        {
            "clae_cla_episode_id": "E2",
            "clae_person_id": "2",
            "clae_cla_id": "L1",
            "clae_cla_placement_id": "PL1",
            "clae_cla_episode_start_date": "01/05/2020",
            "clae_cla_episode_start_reason": "Change of legal status only",
            "clae_cla_episode_ceased_date": "2020-09-01 00:00:00",
            "clae_cla_episode_ceased_reason": "E4A - Returned home",
            "clae_entered_care_date": "1900-01-01 00:00:00",
        },
        {
            "clae_cla_episode_id": "E3",
            "clae_person_id": "3",
            "clae_cla_id": "L2",
            "clae_cla_episode_start_date": "2020-06-01 00:00:00",
            "clae_cla_episode_start_reason": "S",
            "clae_cla_episode_ceased_date": "2020-07-01 00:00:00",
            "clae_cla_episode_ceased_reason": "X1",
        },
    ],
    "ssd_legal_status": [
        {
            "lega_legal_status_id": "LS1",
            "lega_person_id": "2",
            "lega_legal_status": "V2 - Single period of accommodation under s20",
            "lega_legal_status_start_date": "2020-03-01 00:00:00",
        },
        {
            "lega_legal_status_id": "LS2",
            "lega_person_id": "3",
            "lega_legal_status": "V4 - Series of short breaks, agreements recorded",
            "lega_legal_status_start_date": "2020-06-01 00:00:00",
        },
        {
            "lega_legal_status_id": "LS3",
            "lega_person_id": "1",
            "lega_legal_status": "Special Guardianship Order (S14A)",
            "lega_legal_status_start_date": "2020-06-01 00:00:00",
        },
        {
            "lega_legal_status_id": "LS4",
            "lega_person_id": "1",
            "lega_legal_status": "Care leaver",
            "lega_legal_status_start_date": "2020-06-01 00:00:00",
        },
    ],
    "ssd_cla_placement": [
        {
            "clap_cla_placement_id": "PL1",
            "clap_cla_id": "L1",
            "clap_person_id": "2",
            "clap_cla_placement_start_date": "2020-03-01 00:00:00",
            "clap_cla_placement_type": "Children's Home",
            "clap_cla_placement_provider": "PR1",
            "clap_cla_placement_distance": 12.5,
        }
    ],
    "ssd_cla_reviews": [
        {
            "clar_cla_review_id": "RV1",
            "clar_cla_id": "L1",
            "clar_cla_review_date": "2020-03-25 00:00:00",
            "clar_cla_review_cancelled": "N",
            "clar_cla_review_participation": "PN1",
        },
        {"clar_cla_review_id": "RV2", "clar_cla_id": "nowhere", "clar_cla_review_date": "2020-03-25 00:00:00"},
    ],
    "ssd_cla_care_plan": [
        {
            "lacp_table_id": "CP1",
            "lacp_person_id": "2",
            "lacp_cla_care_plan_start_date": "2020-03-10 00:00:00",
            "lacp_cla_care_plan_json": '{"REMAINSUP": "", "LTFOST18": "Y", "ADOPTION": "N", "OTHERPLN',
        }
    ],
    "ssd_cla_health": [
        {
            "clah_health_check_id": "H1",
            "clah_person_id": "2",
            "clah_health_check_type": "Initial Health Assessment",
            "clah_health_check_date": "2020-03-20 00:00:00",
            "clah_health_check_status": "Completed",
        },
        {
            "clah_health_check_id": "H2",
            "clah_person_id": "2",
            "clah_health_check_type": "Dental Check",
            "clah_health_check_date": "2020-04-20 00:00:00",
            "clah_health_check_status": "Refused",
        },
        {
            "clah_health_check_id": "H3",
            "clah_person_id": "2",
            "clah_health_check_type": "Haircut",
            "clah_health_check_date": "2020-04-20 00:00:00",
            "clah_health_check_status": "Refused",
        },
    ],
    "ssd_sdq_scores": [
        {
            "csdq_table_id": "Q1",
            "csdq_person_id": "2",
            "csdq_sdq_completed_date": "2020-04-01 00:00:00",
            "csdq_sdq_score": 17,
            "csdq_sdq_reason": "SSD_PH",
        }
    ],
    "ssd_missing": [
        {
            "miss_table_id": "M1",
            "miss_person_id": "2",
            "miss_missing_episode_start_date": "2020-04-01 21:30:00",
            "miss_missing_episode_type": "Away",
            "miss_missing_episode_end_date": "1900-01-01 00:00:00",
            "miss_missing_rhi_offered": "NA",
            "miss_missing_rhi_accepted": "N",
        }
    ],
    "ssd_permanence": [
        {
            "perm_table_id": "PM1",
            "perm_person_id": "2",
            "perm_adm_decision_date": "2020-08-01 00:00:00",
            "perm_permanence_order_type": "Special Guardianship",
            "perm_permanence_order_date": "2020-09-01 00:00:00",
        },
        {
            "perm_table_id": "PM2",
            "perm_person_id": "3",
            "perm_permanence_order_type": "Adoption",
            "perm_permanence_order_date": "2020-10-01 00:00:00",
        },
        {
            "perm_table_id": "PM3",
            "perm_person_id": "1",
            "perm_permanence_order_type": "Child Arrangements Order/ Residence Order",
            "perm_permanence_order_date": "2020-10-01 00:00:00",
        },
    ],
    "ssd_care_leavers": [
        {
            "clea_table_id": "K1",
            "clea_person_id": "3",
            "clea_care_leaver_eligibility": "Former Relevant",
            "clea_care_leaver_in_touch": "YES",
            "clea_care_leaver_latest_contact": "2020-11-01 00:00:00",
            "clea_care_leaver_accommodation": "Semi-independent/transitional",
            "clea_care_leaver_accom_suitable": "Accommodation is considered unsuitable",
            "clea_care_leaver_activity": "NEET: other",
            "clea_pathway_plan_review_date": "1900-01-01 00:00:00",
            "clea_care_leaver_personal_advisor": "S2",
            "clea_care_leaver_worker_id": "P1",
            "clea_care_leaver_allocated_team": "T1",
        }
    ],
    "ssd_involvements": [
        {
            "invo_involvements_id": "IN1",
            "invo_professional_id": "P1",
            "invo_professional_role_id": "allocated case worker",
            "invo_person_id": "3",
            "invo_involvement_start_date": "2020-06-01 00:00:00",
            "invo_involvement_end_date": "1900-01-01 00:00:00",
            "invo_worker_change_reason": "FCONTA",
        },
        {
            "invo_involvements_id": "IN2",
            "invo_professional_role_id": "KASCHO",
            "invo_person_id": "3",
            "invo_involvement_start_date": "2020-06-01 00:00:00",
        },
    ],
    "ssd_pre_proceedings": [
        {
            "prep_table_id": "SSD_PH",
            "prep_person_id": "SSD_PH",
            "prep_pre_pro_decision_date": "1900-01-01 00:00:00",
            "prep_court_reference": "COURT_REF_1",
        }
    ],
    "ssd_contacts": [],
    "ssd_voice_of_child": [{"voch_table_id": "VC1", "voch_person_id": "1"}],
}


def fields_of(table: str, rows: Iterable[Mapping[str, object]]) -> list[str]:
    """The fields of a table that are mapped, and those that the rows have besides."""
    known = mapping().tables[table]
    used = {field for row in rows for field in row}
    return [field for field in known.fields if field in mapping().wanted or field in used or field == known.key]


def write_csv(folder: Path, extract: Rows = EXTRACT) -> Path:
    """The extract as a folder of CSV, with the word NULL where nothing is, as SQL Server exports it."""
    folder.mkdir(exist_ok=True)
    for table, rows in extract.items():
        fields = fields_of(table, rows)
        with (folder / f"{table.removeprefix('ssd_')}_20210331.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, fields, restval="NULL")
            writer.writeheader()
            writer.writerows(rows)
    return folder


def write_sqlite(file: Path, extract: Rows = EXTRACT) -> Path:
    """The extract as a SQLite file whose names are in capitals."""
    with closing(sqlite3.connect(file)) as database:
        for table, rows in extract.items():
            fields = fields_of(table, rows)
            database.execute(f"CREATE TABLE {table.upper()} ({', '.join(f'{each.upper()} TEXT' for each in fields)})")
            marks = ", ".join("?" for _ in fields)
            database.executemany(f"INSERT INTO {table} VALUES ({marks})", [[row.get(each) for each in fields] for row in rows])
        database.commit()
    return file


def ddl(schema: str, extract: Rows = EXTRACT) -> str:
    """Statements that make the tables in PostgreSQL, with timestamps and numbers as such."""
    made = [f"CREATE SCHEMA IF NOT EXISTS {schema}"]
    for table, rows in extract.items():
        columns = ", ".join(f"{each} {_type(each)}" for each in fields_of(table, rows))
        made.append(f"CREATE TABLE {schema}.{table} ({columns})")
    return "; ".join(made)


def _type(field: str) -> str:
    if field.endswith(("_date", "_dob", "_latest_contact")):
        return "timestamp"
    if field.endswith(("_distance", "_equivalency")):
        return "double precision"
    return "integer" if field.endswith("_score") else "varchar"
